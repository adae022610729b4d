import CLinux
import Glibc

@testable import RadiusCore

/// The other end of a session of DTLS, in the test's own thread.
final class DTLSClient {
    static let secret = SharedSecret(Array("radius/dtls".utf8))
    let fd: Int32
    /// Another one begins anew from the same port.
    var tls: TLSConversation
    /// Datagrams that came, those that were lost on purpose among them.
    private(set) var arrivals = 0

    /// - Parameters:
    ///   - port: of the server.
    ///   - source: 127.0.0.`source`.
    ///   - context: a client's, for datagrams.
    /// - Throws: `TLSFailure` when OpenSSL has no memory.
    init(to port: UInt16, from source: UInt32 = 1, _ context: TLSContext) throws {
        fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        tls = try TLSConversation(context)
        // Short, since it is also the clock of what is sent again.
        var timeout = timeval(tv_sec: 0, tv_usec: 250_000)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var own = sockaddr_in(host: 0x7f00_0000 | source, port: 0)
        var peer = sockaddr_in(host: 0x7f00_0001, port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafePointer(to: &own) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, size) } } == 0
        let isConnected =
            withUnsafePointer(to: &peer) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, size) } } == 0
        precondition(isBound && isConnected, "no loopback socket")
    }

    deinit { close(fd) }

    /// Shakes hands; whether it ended well on this side. The server may refuse a certificate after that. Of the datagrams that come,
    /// counted from 0, those in `losing` get lost on their way.
    func handshake(losing: Set<Int> = []) -> Bool {
        tls.start()
        let before = arrivals
        flush()
        var silences = 0
        while tls.state == .handshaking, silences < Self.patience {
            let datagram = receiveRaw()
            guard !datagram.isEmpty else {
                silences += 1
                tls.repeatFlight()
                flush()
                continue
            }
            if losing.contains(arrivals - before - 1) { continue }
            tls.receive(datagram.span)
            flush()
        }
        return tls.state == .established
    }

    /// Silences of a quarter of a second after which nothing more is waited for.
    private static let patience = 240

    /// The flights up to the ClientHello with its cookie, which is returned and not sent.
    func helloWithCookie() -> [UInt8] {
        tls.start()
        flush()
        tls.receive(waitRaw().span)
        return takeDatagrams().first ?? []
    }

    func send(_ packet: [UInt8]) {
        tls.write(packet)
        flush()
    }

    /// Sends several records in one datagram.
    func sendTogether(_ packets: [[UInt8]]) {
        for packet in packets { tls.write(packet) }
        sendRaw(tls.takeOutput())
    }

    func sendRaw(_ octets: [UInt8]) { _ = octets.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, octets.count, Int32(MSG_NOSIGNAL)) } }

    func flush() {
        for datagram in takeDatagrams() { sendRaw(datagram) }
    }

    /// What waits for the server, a datagram each.
    func takeDatagrams() -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        while true {
            let datagram = [UInt8](unsafeUninitializedCapacity: 20_000) { buffer, filled in filled = tls.takeDatagram(into: buffer) }
            guard !datagram.isEmpty else { return datagrams }
            datagrams.append(datagram)
        }
    }

    /// The next datagram as it comes; empty after a quarter of a second without one.
    private func receiveRaw() -> [UInt8] {
        let datagram = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
            filled = max(0, recv(fd, buffer.baseAddress, buffer.count, 0))
        }
        if !datagram.isEmpty { arrivals += 1 }
        return datagram
    }

    /// The next datagram as it comes; empty after a minute without one.
    func waitRaw() -> [UInt8] {
        for _ in 0..<Self.patience {
            let datagram = receiveRaw()
            if !datagram.isEmpty { return datagram }
        }
        return []
    }

    /// The next packet; empty when the session ends, or none comes within a minute.
    func receive() -> [UInt8] {
        var silences = 0
        while silences < Self.patience {
            if let packet = record() { return packet }
            guard tls.state == .established else { return [] }
            let datagram = receiveRaw()
            if datagram.isEmpty { silences += 1 } else { tls.receive(datagram.span) }
            flush()
        }
        return []
    }

    func exchange(_ packet: [UInt8]) -> [UInt8] {
        send(packet)
        return receive()
    }

    /// Waits until the server ends the session; false when it does not.
    func ends() -> Bool {
        while !receive().isEmpty {}
        return tls.state != .established && tls.state != .handshaking
    }

    private func record() -> [UInt8]? {
        var count: Int?
        let octets = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, filled in
            guard let start = buffer.baseAddress else { return }
            count = tls.readRecord(into: start, capacity: buffer.count)
            filled = count ?? 0
        }
        return count == nil ? nil : octets
    }
}

extension TestAuthority {
    /// A client for datagrams with the certificate of that name, or none.
    func datagramClient(_ name: String? = "alice") throws -> TLSContext { try client(name) { $0.isDatagram = true } }
}
