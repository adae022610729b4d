import Glibc
import Support
import Synchronization

/// What a NAS with two servers does: its packets go to one of them until they go to the other, a packet's repetitions too.
///
/// Serves one socket on the NAS's side.
final class FailoverRelay: Sendable {
    /// Where the NAS sends to.
    let port: UInt16
    private let front: Int32
    private let back: Int32
    private let target: Atomic<UInt16>
    private let isEnding = Atomic<Bool>(false)

    /// - Parameter target: the port of the first server.
    /// - Throws: `ProcessFailure` when the system gives no socket.
    init(to target: UInt16) throws {
        front = try Self.open()
        back = try Self.open()
        port = Self.port(of: front)
        self.target = Atomic(target)
    }

    /// Relays for as long as `body` works.
    func use<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        async let relaying: Void = onOwnThread { [self] in relay() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        isEnding.store(true, ordering: .relaxed)
        try await relaying
        close(front)
        close(back)
        return try result.get()
    }

    /// From now on everything goes to this port.
    func turn(to port: UInt16) { target.store(port, ordering: .relaxed) }

    private func relay() {
        var nas = sockaddr_in()
        var octets = [UInt8](repeating: 0, count: 4096)
        var waiting = [pollfd(fd: front, events: Int16(POLLIN), revents: 0), pollfd(fd: back, events: Int16(POLLIN), revents: 0)]
        while !isEnding.load(ordering: .relaxed) {
            guard poll(&waiting, 2, 20) > 0 else { continue }
            if waiting[0].revents != 0, let (count, sender) = Self.receive(front, &octets) {
                nas = sender
                Self.send(back, octets, count, to: Self.loopback(target.load(ordering: .relaxed)))
            }
            if waiting[1].revents != 0, let (count, _) = Self.receive(back, &octets) { Self.send(front, octets, count, to: nas) }
        }
    }

    // MARK: Sockets

    private static let length = socklen_t(MemoryLayout<sockaddr_in>.size)

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    /// A socket on any free port of the loopback network.
    private static func open() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard descriptor >= 0, result == 0 else { throw ProcessFailure("no UDP socket: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = length
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func receive(_ descriptor: Int32, _ octets: inout [UInt8]) -> (Int, sockaddr_in)? {
        var sender = sockaddr_in()
        var length = length
        let count = withUnsafeMutablePointer(to: &sender) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT), $0, &length)
            }
        }
        return count > 0 ? (count, sender) : nil
    }

    private static func send(_ descriptor: Int32, _ octets: [UInt8], _ count: Int, to address: sockaddr_in) {
        var address = address
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, octets, count, 0, $0, length) }
        }
    }
}
