@testable import RadiusCore

/// A server of DTLS in the test's own hands: one socket, one session at a time, answers by hand.
final class ScriptedDTLSServer {
    let socket: ScriptedHomeServer
    private let context: TLSContext
    private(set) var tls: TLSConversation?
    /// Sessions that were begun.
    private(set) var sessions = 0
    /// Of the ClientHello that the session began with.
    private var random: SIMD32<UInt8>?
    private static let cookie: [UInt8] = [7, 3, 6, 0]

    init(_ authority: TestAuthority) throws {
        socket = try ScriptedHomeServer()
        context = try authority.server { $0.isDatagram = true }
    }

    var port: UInt16 { socket.port }
    var isOpen: Bool { tls?.state == .established }

    /// Takes the next datagram, and what belongs to the handshake further.
    ///
    /// - Returns: the packets of it.
    func turn(waitMilliseconds: Int32 = 10) -> [[UInt8]] {
        guard let datagram = socket.receive(waitMilliseconds: waitMilliseconds) else {
            tls?.repeatFlight()
            flush()
            return []
        }
        if DTLSClientHello.begins(datagram.span) {
            greet(datagram)
            return []
        }
        tls?.receive(datagram.span)
        var packets: [[UInt8]] = []
        while let record = record() { packets.append(record) }
        flush()
        return packets
    }

    private func greet(_ datagram: [UInt8]) {
        guard let hello = DTLSClientHello(datagram.span) else { return }
        guard hello.cookie == Self.cookie else { return socket.send(hello.verifyRequest(cookie: Self.cookie)) }
        guard hello.random != random, let begun = try? TLSConversation(context) else { return }
        (tls, random) = (begun, hello.random)
        sessions += 1
        begun.receive(datagram.span)
        flush()
    }

    private func record() -> [UInt8]? {
        var count: Int?
        let octets = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, filled in
            count = buffer.baseAddress.flatMap { tls?.readRecord(into: $0, capacity: buffer.count) }
            filled = count ?? 0
        }
        return count == nil ? nil : octets
    }

    /// Sends a record.
    func send(_ octets: [UInt8]) {
        tls?.write(octets)
        flush()
    }

    /// Encrypts a record without sending it.
    func seal(_ octets: [UInt8]) -> [UInt8] {
        tls?.write(octets)
        return datagram() ?? []
    }

    func sayGoodbye() {
        tls?.close()
        flush()
    }

    /// Knows nothing of its session any more, and says nothing.
    func forget() { tls = nil }

    private func flush() {
        while let datagram = datagram() { socket.send(datagram) }
    }

    private func datagram() -> [UInt8]? {
        let octets = [UInt8](unsafeUninitializedCapacity: 20_000) { buffer, filled in filled = tls?.takeDatagram(into: buffer) ?? 0 }
        return octets.isEmpty ? nil : octets
    }
}
