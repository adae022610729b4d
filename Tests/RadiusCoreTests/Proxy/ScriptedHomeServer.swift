import CLinux
import Glibc
import Support
import Testing

@testable import RadiusCore

/// A home server of the tests: one socket, answers by hand.
final class ScriptedHomeServer {
    static let secret = SharedSecret(Array("home-server-secret".utf8))
    let fd: Int32
    let port: UInt16
    private var peer = lm_address()

    init() throws {
        fd = lm_udp_open(IPAddress(ipv4: 0x7f00_0001).octets, 0, 0, 1 << 20)
        try #require(fd >= 0)
        port = UInt16(lm_bound_port(fd))
    }

    deinit { close(fd) }

    /// This server as the snapshot has it.
    func row(
        id: Int64 = 1, responseMilliseconds: Int = 20_000, usesStatusServer: Bool = true, requiresMessageAuthenticator: Bool = true,
        zombieSeconds: Int = 40, answersToRevive: Int = 1
    ) -> HomeServer {
        var timing = HomeServer.Timing()
        timing.responseMilliseconds = responseMilliseconds
        timing.zombieSeconds = zombieSeconds
        timing.checkSeconds = 1
        timing.answersToRevive = answersToRevive
        return HomeServer(
            id: id, tenant: 1, name: "home\(id)", address: IPAddress(ipv4: 0x7f00_0001), accessPort: port, accountingPort: port,
            secret: Self.secret, timing: timing, usesStatusServer: usesStatusServer,
            requiresMessageAuthenticator: requiresMessageAuthenticator)
    }

    /// The next request; nil when none comes.
    func receive(waitMilliseconds: Int32 = 60_000) -> [UInt8]? {
        var waiting = fd
        guard lm_wait(&waiting, 1, waitMilliseconds) > 0 else { return nil }
        var octets = [UInt8](repeating: 0, count: 4096)
        let count = octets.withUnsafeMutableBufferPointer { memory -> Int in
            var slot = lm_datagram()
            slot.bytes = memory.baseAddress
            slot.capacity = UInt32(memory.count)
            guard lm_receive(fd, &slot, 1) == 1 else { return 0 }
            peer = slot.peer
            return Int(slot.count)
        }
        return count > 0 ? Array(octets[..<count]) : nil
    }

    /// Sends `packet` to where the last request came from; from another socket when one is given.
    func send(_ packet: [UInt8], from other: Int32? = nil) {
        var octets = packet
        octets.withUnsafeMutableBufferPointer { memory in
            var slot = lm_datagram()
            slot.bytes = memory.baseAddress
            slot.count = UInt32(memory.count)
            slot.peer = peer
            _ = lm_send(other ?? fd, &slot, 1)
        }
    }

    /// A reply to `request`: signed, its Proxy-States copied in order.
    static func reply(
        _ code: PacketCode, to request: [UInt8], sign: Bool = true, secret: SharedSecret = secret, extra: [UInt8] = []
    ) -> [UInt8] {
        let authenticator = Digest16 { request[4 + $0] }
        var octets = [UInt8](repeating: 0, count: 4096)
        var writer = PacketWriter(octets.mutableSpan, code: code, identifier: request[1])
        writer.setAuthenticator(authenticator)
        if sign { writer.reserveMessageAuthenticator() }
        writer.append(encoded: extra.span)
        for state in values(AttributeNumber.proxyState, in: request) { writer.append(AttributeNumber.proxyState, state.span) }
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        var span = octets.mutableSpan
        if let offset = finished.messageAuthenticatorOffset {
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: authenticator, secret: secret)
        }
        ResponseAuthenticator.sign(&span, requestAuthenticator: authenticator, secret: secret)
        return octets
    }

    /// All values of an attribute, in order.
    static func values(_ type: UInt8, in packet: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet.span) {
            if attribute.type == UInt32(type) { found.append(Array(packet[attribute.range])) }
        }
        return found
    }

    /// One attribute as it stands in a packet.
    static func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type, UInt8(value.count + 2)] + value }
}
