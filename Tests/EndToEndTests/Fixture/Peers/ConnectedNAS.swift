import Glibc
import RadiusCore
import Support
import Synchronization

/// A NAS that nobody can reach: it opens a connection of TLS, and takes CoA and Disconnect there.
final class ConnectedNAS: Sendable {
    private struct State {
        var outbox: [[UInt8]] = []
        var heard: [String] = []
        var isStopping = false
        /// Why there is no connection any more.
        var ending: String?
    }

    private let state = Mutex(State())

    /// Connects to the daemon with the certificate of `gw1.example.net` in `pki`.
    init(to daemon: DaemonProcess, pki: String) {
        let port = daemon.radSecPort
        Thread.start(name: "connected-nas") { [self] in run(port, pki) }
    }

    /// Names of the requests that it has confirmed, in order.
    var heard: [String] { state.withLock { $0.heard } }
    var ending: String? { state.withLock { $0.ending } }

    /// Sends an accounting record.
    func account(_ attributes: [UInt8]) throws {
        let packet = try ClientPacket.accounting(identifier: 1, attributes: attributes, secret: .ofTLS)
        state.withLock { $0.outbox.append(packet.octets) }
    }

    /// Says goodbye.
    func stop() { state.withLock { $0.isStopping = true } }

    private func run(_ port: UInt16, _ pki: String) {
        do {
            try serve(port, pki)
        } catch {
            state.withLock { $0.ending = "\(error)" }
        }
    }

    private func serve(_ port: UInt16, _ pki: String) throws {
        var settings = TLSSettings(role: .client)
        settings.authorityPath = "\(pki)/ca.pem"
        settings.certificatePath = "\(pki)/issued/gw1.example.net.pem"
        settings.keyPath = "\(pki)/issued/gw1.example.net.key"
        let client = StreamClient(
            to: IPAddress(ipv4: 0x7f00_0001), port: port, try TLSContext(settings), serverName: "radius.example.net", nowSeconds: 0)
        while !state.withLock({ $0.isStopping }) {
            if client.status == .open {
                let outbox = state.withLock { state in
                    defer { state.outbox = [] }
                    return state.outbox
                }
                for packet in outbox { _ = client.send(packet) }
            }
            for packet in client.wait(milliseconds: 50, nowSeconds: 0) { answer(packet, on: client) }
            if case .ended(let ending) = client.status { return state.withLock { $0.ending = "\(ending)" } }
        }
        client.close(nowSeconds: 0)
        state.withLock { $0.ending = "stopped" }
    }

    private func answer(_ packet: [UInt8], on client: StreamClient) {
        let desk = DynamicAuthorizationServer(secret: .ofTLS, requiresMessageAuthenticator: true)
        guard let request = try? desk.verify(packet.span, now: UInt32(truncatingIfNeeded: time(nil))) else { return }
        state.withLock { $0.heard.append(request.kind.code.name) }
        _ = client.send(desk.acknowledge(request))
    }
}
