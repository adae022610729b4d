import CLinux
import Glibc
import RadiusCore
import Support
import Synchronization

/// A NAS on loopback that answers each datagram as a script says, on its own thread.
final class ScriptedNAS: Sendable {
    /// What to send back for the `count`th datagram (from 1).
    typealias Script = @Sendable (_ datagram: [UInt8], _ count: Int) -> [[UInt8]]

    static let secret = SharedSecret(Array("xyzzy5461".utf8))
    static let loopback = IPAddress(ipv4: 0x7f00_0001)

    let port: UInt16
    private let socket: Int32
    private let stop: Int32
    private let seen = Mutex<[[UInt8]]>([])

    init(_ script: @escaping Script) throws {
        let socket = lm_udp_open(Self.loopback.octets, 0, 0, 1 << 20)
        guard socket >= 0 else { throw SocketError(code: -socket) }
        self.socket = socket
        stop = lm_eventfd()
        port = UInt16(lm_bound_port(socket))
        let ear = Ear(socket: socket, stop: stop)
        let record: @Sendable ([UInt8]) -> Int = { [weak self] datagram in
            self?.seen.withLock {
                $0.append(datagram)
                return $0.count
            } ?? 0
        }
        Thread.start(name: "scripted-nas") { ear.listen(script, record) }
    }

    deinit {
        lm_eventfd_signal(stop)
    }

    /// Every datagram so far, repetitions included.
    var received: [[UInt8]] { seen.withLock { $0 } }

    func peer(secret: SharedSecret = ScriptedNAS.secret) -> CoAPeer {
        CoAPeer(address: Self.loopback, port: port, secret: secret)
    }

    /// An ACK as RFC 5176 has it, signed with `secret`.
    static func ack(_ datagram: [UInt8], secret: SharedSecret = ScriptedNAS.secret) -> [[UInt8]] {
        answer(datagram) { DynamicAuthorizationServer(secret: secret).acknowledge($0) }
    }

    static func answer(_ datagram: [UInt8], _ build: (DynamicAuthorizationServer.Request) -> [UInt8]) -> [[UInt8]] {
        let server = DynamicAuthorizationServer(secret: secret)
        let now = UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000)
        guard let request = try? server.verify(datagram.span, now: now) else { return [] }
        return [build(request)]
    }

    struct SocketError: Error { let code: Int32 }

    /// The thread's part: owns both descriptors and closes them at the end.
    private struct Ear: Sendable {
        let socket: Int32
        let stop: Int32

        func listen(_ script: Script, _ record: ([UInt8]) -> Int) {
            let descriptors = [socket, stop]
            var memory = [UInt8](repeating: 0, count: 4096)
            while true {
                let readable = lm_wait(descriptors, 2, -1)
                if readable & 2 != 0 { break }
                memory.withUnsafeMutableBufferPointer { answer($0, script, record) }
            }
            close(socket)
            close(stop)
        }

        private func answer(_ memory: UnsafeMutableBufferPointer<UInt8>, _ script: Script, _ record: ([UInt8]) -> Int) {
            var slot = lm_datagram()
            slot.bytes = memory.baseAddress
            slot.capacity = UInt32(memory.count)
            while lm_receive(socket, &slot, 1) == 1 {
                let datagram = Array(memory[0..<Int(slot.count)])
                for reply in script(datagram, record(datagram)) {
                    var octets = reply
                    octets.withUnsafeMutableBufferPointer { buffer in
                        var out = slot
                        out.bytes = buffer.baseAddress
                        out.count = UInt32(buffer.count)
                        _ = lm_send(socket, &out, 1)
                    }
                }
            }
        }
    }
}

/// Whether a condition came to hold within a minute.
func eventually(_ condition: () -> Bool) async -> Bool {
    (try? await Support.eventually { condition() }) != nil
}
