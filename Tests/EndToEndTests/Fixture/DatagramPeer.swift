import Glibc
import Support

/// A bare UDP socket on the loopback network, for packets that no client would send.
final class DatagramPeer: Sendable {
    private let descriptor: Int32

    /// - Throws: `ProcessFailure` when the system refuses.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard descriptor >= 0, result == 0 else { throw ProcessFailure("no UDP socket: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// The next datagram; nil when none comes in time.
    func receive(milliseconds: Int32) -> [UInt8]? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
        var octets = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT))
        return count >= 0 ? Array(octets.prefix(count)) : nil
    }

    func send(_ octets: [UInt8]) { _ = Glibc.send(descriptor, octets, octets.count, 0) }
}
