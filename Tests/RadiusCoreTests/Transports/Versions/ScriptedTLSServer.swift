import CLinux
import Glibc
import Testing

@testable import RadiusCore

/// A server of RADIUS over TLS of the tests: one connection, answers by hand, octets as they are on the wire.
final class ScriptedTLSServer {
    let port: UInt16
    private let listener: Int32
    private let context: TLSContext
    private var fd: Int32 = -1
    private(set) var tls: TLSConversation?
    private var framer = StreamFramer()

    init(_ authority: TestAuthority, versions: RadiusVersions) throws {
        context = try authority.server { $0.applicationProtocols = versions.applicationProtocols }
        let bound = lm_tcp_bind(IPAddress(ipv4: 0x7f00_0001).octets, 0, 0, 65_536)
        try #require(bound >= 0 && lm_tcp_listen(bound, 4) == 0)
        listener = bound
        port = UInt16(lm_bound_port(bound))
    }

    deinit {
        close(listener)
        if fd >= 0 { close(fd) }
    }

    /// This server as the snapshot has it.
    func row(id: Int64 = 1, versions: RadiusVersions = .both) -> HomeServer {
        var timing = HomeServer.Timing()
        timing.responseMilliseconds = 20_000
        return HomeServer(
            id: id, tenant: 1, name: "home\(id)", address: IPAddress(ipv4: 0x7f00_0001), transport: .tls, accessPort: port,
            secret: ScriptedHomeServer.secret, timing: timing, tlsName: "radius.example.net", versions: versions)
    }

    /// Takes the connection that is made ahead of any request, and shakes hands.
    func accept() throws {
        var waiting = listener
        try #require(lm_wait(&waiting, 1, 60_000) > 0)
        var peer = lm_address()
        fd = lm_tcp_accept(listener, &peer)
        try #require(fd >= 0)
        let conversation = try TLSConversation(context)
        tls = conversation
        while conversation.state == .handshaking { try #require(pull(60_000)) }
        // A client may have gone already.
        try #require(conversation.state == .established || conversation.state == .closed)
    }

    /// The next packet; nil when none comes.
    func receive(waitMilliseconds: Int32 = 60_000) throws -> [UInt8]? {
        while true {
            if let length = try framer.next() {
                var packet = [UInt8](repeating: 0, count: length)
                packet.withUnsafeMutableBufferPointer { buffer in
                    if let start = buffer.baseAddress { framer.take(length, into: start) }
                }
                return packet
            }
            guard pull(waitMilliseconds) else { return nil }
        }
    }

    func send(_ packet: [UInt8]) {
        tls?.write(packet)
        flush()
    }

    private func flush() {
        guard let octets = tls?.takeOutput(), !octets.isEmpty else { return }
        _ = lm_stream_send(fd, octets, octets.count)
    }

    private func pull(_ milliseconds: Int32) -> Bool {
        var readable = fd
        guard lm_wait(&readable, 1, milliseconds) > 0 else { return false }
        var octets = [UInt8](repeating: 0, count: 16_384)
        let count = lm_stream_receive(fd, &octets, octets.count)
        guard count > 0, let tls else { return false }
        tls.receive(octets.span.extracting(0..<count))
        framer.append(tls.read().span)
        flush()
        return true
    }
}
