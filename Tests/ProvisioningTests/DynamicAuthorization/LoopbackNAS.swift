import CLinux
import Glibc
import RadiusCore
import Synchronization

/// A NAS on loopback that answers verified CoA and Disconnect requests as the test says; nil is silence.
final class LoopbackNAS: Sendable {
    typealias Answer = @Sendable (DynamicAuthorizationServer, DynamicAuthorizationServer.Request) -> [UInt8]?

    static let secret = Array("xyzzy5461".utf8)

    let port: UInt16
    private let stop: Int32
    private let seen: Received

    /// Requests so far, repetitions included.
    final class Received: Sendable {
        private let list = Mutex<[DynamicAuthorizationServer.Request]>([])
        var all: [DynamicAuthorizationServer.Request] { list.withLock { $0 } }
        func append(_ request: DynamicAuthorizationServer.Request) { list.withLock { $0.append(request) } }
    }

    struct SocketError: Error { let code: Int32 }

    init(_ answer: @escaping Answer) throws {
        let socket = lm_udp_open(IPAddress(ipv4: 0x7f00_0001).octets, 0, 0, 1 << 20)
        guard socket >= 0 else { throw SocketError(code: -socket) }
        let (stop, seen) = (lm_eventfd(), Received())
        (self.stop, self.seen) = (stop, seen)
        port = UInt16(lm_bound_port(socket))
        Thread.start(name: "loopback-nas") { Self.listen(socket, stop, seen, answer) }
    }

    deinit { lm_eventfd_signal(stop) }

    var received: [DynamicAuthorizationServer.Request] { seen.all }

    private static func listen(_ socket: Int32, _ stop: Int32, _ seen: Received, _ answer: Answer) {
        let server = DynamicAuthorizationServer(secret: SharedSecret(secret), requiresMessageAuthenticator: true)
        var memory = [UInt8](repeating: 0, count: 4096)
        while lm_wait([socket, stop], 2, -1) & 2 == 0 {
            memory.withUnsafeMutableBufferPointer { buffer in
                var slot = lm_datagram()
                slot.bytes = buffer.baseAddress
                slot.capacity = UInt32(buffer.count)
                while lm_receive(socket, &slot, 1) == 1 {
                    let datagram = Array(buffer[0..<Int(slot.count)])
                    let now = UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000)
                    guard let request = try? server.verify(datagram.span, now: now) else { continue }
                    seen.append(request)
                    guard let reply = answer(server, request) else { continue }
                    for (position, octet) in reply.enumerated() { buffer[position] = octet }
                    slot.count = UInt32(reply.count)
                    _ = lm_send(socket, &slot, 1)
                }
            }
        }
        close(socket)
        close(stop)
    }
}
