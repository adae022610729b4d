import CLinux
import Glibc

/// What policy rules say of conversations that begin.
extension EAPConversations {
    /// The versions of TLS that a rule leaves to a method which begins with `request`; nil when no rule speaks of them.
    static func versions(of arrival: EAPArrival, _ request: ParkedRequest, in snapshot: Snapshot) -> TLSSettings.Versions? {
        guard let program = snapshot.handshakes[arrival.tenant] else { return nil }
        let address = withUnsafePointer(to: request.datagram) { PacketPath.address(of: $0) }
        let now = Int64(time(nil)) * 1_000_000
        var scratch = PolicyScratch()
        return arrival.userName.withUnsafeBytes { name -> TLSSettings.Versions? in
            let login = PolicyLogin(
                kept: request.octets, count: request.count, userName: name, from: snapshot.clients.rows.find(id: arrival.client),
                at: address, method: .none, microseconds: now)
            return withExtendedLifetime(snapshot) { scratch.versions(program, login) }
        }
    }
}
