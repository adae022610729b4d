import Glibc
import RadiusCore

/// A UDP socket for one peer, or for whoever sends to it.
final class DatagramSocket {
    let fd: Int32

    /// Why a socket cannot be used.
    struct Failure: Error {
        let errno: Int32
        var text: String { String(cString: strerror(errno)) }
    }

    /// Opens a socket that only talks to `peer`, so that a closed port shows.
    ///
    /// `local`: the address to send from; nil: as the route says.
    init(to peer: Peer, from local: IPAddress? = nil) throws(Failure) {
        fd = try Self.open()
        if let local {
            var own = Peer(local, port: 0).address
            guard Self.withSocketAddress(&own, { bind(fd, $0, $1) }) == 0 else { throw Failure(errno: errno) }
        }
        var address = peer.address
        let status = Self.withSocketAddress(&address) { connect(fd, $0, $1) }
        guard status == 0 else { throw Failure(errno: errno) }
    }

    /// Opens a socket on all addresses, or on one.
    init(port: UInt16, on address: IPAddress?) throws(Failure) {
        fd = try Self.open()
        var local = Peer(address ?? IPAddress(high: 0, low: 0), port: port).address
        let status = Self.withSocketAddress(&local) { bind(fd, $0, $1) }
        guard status == 0 else { throw Failure(errno: errno) }
    }

    deinit { close(fd) }

    private static func open() throws(Failure) -> Int32 {
        let fd = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure(errno: errno) }
        var off: Int32 = 0
        setsockopt(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, socklen_t(MemoryLayout<Int32>.size))
        return fd
    }

    private static func withSocketAddress(_ address: inout sockaddr_in6, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
        }
    }

    /// The port that it is bound to.
    var port: UInt16 {
        var local = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutablePointer(to: &local) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        return UInt16(bigEndian: local.sin6_port)
    }

    /// Sends to the one peer.
    func send(_ octets: [UInt8]) throws(Failure) {
        let count = octets.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count == octets.count else { throw Failure(errno: errno) }
    }

    /// Sends to where a datagram came from.
    func send(_ octets: [UInt8], to peer: Peer) {
        var address = peer.address
        _ = octets.withUnsafeBytes { bytes in
            Self.withSocketAddress(&address) { Int32(sendto(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), $0, $1)) }
        }
    }

    /// The next datagram that has arrived, and who sent it; nil when there is none.
    ///
    /// - Throws: ECONNREFUSED when the peer's machine said that nothing listens there.
    func receive() throws(Failure) -> (octets: [UInt8], peer: Peer)? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let count = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(fd, &buffer, buffer.count, 0, $0, &length) }
        }
        if count >= 0 { return (Array(buffer[..<count]), Peer(address: address)) }
        if errno == EAGAIN || errno == EINTR { return nil }
        throw Failure(errno: errno)
    }

    /// Whether something arrived within the time.
    static func wait(for descriptors: [Int32], milliseconds: Int) -> Bool {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        return poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds)) > 0
    }
}

/// Where datagrams go: an address and a port.
struct Peer {
    var address: sockaddr_in6

    init(address: sockaddr_in6) { self.address = address }

    init(_ ip: IPAddress, port: UInt16) {
        address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: ip.octets) }
    }

    var ip: IPAddress {
        withUnsafeBytes(of: address.sin6_addr) { IPAddress(octets: $0) }
    }

    var port: UInt16 { UInt16(bigEndian: address.sin6_port) }

    /// `192.0.2.1:1812`, `[2001:db8::1]:1812`.
    var text: String { ip.ipv4 == nil ? "[\(ip.text)]:\(port)" : "\(ip.text):\(port)" }

    /// Reads `HOST`, `HOST:PORT`, `[IPV6]:PORT`, and asks the resolver for names.
    init(text: String, defaultPort: UInt16) throws(CommandFailure) {
        let (host, port) = try Self.split(text, defaultPort)
        if let ip = IPAddress(text: host) {
            self.init(ip, port: port)
        } else {
            self.init(try Self.resolve(host), port: port)
        }
    }

    static func split(_ text: String, _ defaultPort: UInt16) throws(CommandFailure) -> (host: String, port: UInt16) {
        var host = text[...]
        var port: Substring?
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            let rest = host[host.index(after: end)...]
            host = host[host.index(after: host.startIndex)..<end]
            if rest.hasPrefix(":") { port = rest.dropFirst() } else if !rest.isEmpty { throw malformed(text) }
        } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        guard !host.isEmpty else { throw malformed(text) }
        guard let port else { return (String(host), defaultPort) }
        guard let number = UInt16(port), number > 0 else { throw malformed(text) }
        return (String(host), number)
    }

    private static func malformed(_ text: String) -> CommandFailure {
        .usage("“\(text)” names no server", next: "Write HOST, HOST:PORT or [IPV6]:PORT, the port from 1 to 65535.")
    }

    private static func resolve(_ host: String) throws(CommandFailure) -> IPAddress {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var entry = list
        while status == 0, let found = entry {
            var text = [CChar](repeating: 0, count: 256)
            let named = getnameinfo(found.pointee.ai_addr, found.pointee.ai_addrlen, &text, 256, nil, 0, NI_NUMERICHOST)
            if named == 0, let ip = IPAddress(text: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            {
                return ip
            }
            entry = found.pointee.ai_next
        }
        let reason = status == 0 ? "it has no address" : String(cString: gai_strerror(status))
        throw CommandFailure(
            .unreachable, "the name “\(host)” cannot be resolved: \(reason)", next: "Give an address instead, or mend the name.")
    }
}

/// Time that never goes back.
enum Clock {
    static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    /// Seconds since 1970.
    static func wall() -> UInt32 { UInt32(truncatingIfNeeded: time(nil)) }
}
