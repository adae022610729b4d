internal import Glibc
internal import Synchronization

/// An HTTP server of a test on the loopback network: keeps what it is asked, and answers as it is told. A connection is for one request,
/// and has a thread of its own.
public final class HTTPReceiver: Sendable {
    /// What was asked.
    public struct Request: Sendable {
        /// Such as `POST /logins HTTP/1.1`.
        public let line: String
        /// Names in lower case.
        public let headers: [String: String]
        public let body: [UInt8]

        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What is answered.
    public struct Answer: Sendable {
        var status: Int
        var headers: [String]
        var body: String
        var missing: Int

        /// `missing`: octets that are announced and do not come.
        public init(_ status: Int, headers: [String] = [], body: String = "", missing: Int = 0) {
            self.status = status
            self.headers = headers
            self.body = body
            self.missing = missing
        }

        var octets: [UInt8] {
            let head = ["HTTP/1.1 \(status) X", "Content-Length: \(body.utf8.count + missing)", "Connection: close"] + headers
            return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
        }
    }

    public let port: UInt16
    private let listener: Int32
    private let answer: @Sendable (Request) -> Answer
    private let kept = Mutex<[Request]>([])
    private let isEnding = Atomic<Bool>(false)

    /// Listens on `address` and a port, any for 0, until `end`; `answer` may block.
    public init(address: String = "127.0.0.1", port: UInt16 = 0, _ answer: @escaping @Sendable (Request) -> Answer) throws {
        (listener, self.port) = try Self.listening(address, port)
        self.answer = answer
        detachThread { [self] in serve() }
    }

    /// So far, in the order in which they were complete.
    public var requests: [Request] { kept.withLock { $0 } }

    /// Takes no more connections.
    public func end() { isEnding.store(true, ordering: .relaxed) }

    private func serve() {
        var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        while !isEnding.load(ordering: .relaxed) {
            guard poll(&waiting, 1, 20) > 0 else { continue }
            let peer = accept(listener, nil, nil)
            guard peer >= 0 else { continue }
            detachThread { [self] in
                converse(peer)
                close(peer)
            }
        }
        close(listener)
    }

    private func converse(_ peer: Int32) {
        var octets: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let request = Self.request(octets) {
                kept.withLock { $0.append(request) }
                return Self.send(answer(request).octets, to: peer)
            }
            let count = read(peer, &block, block.count)
            guard count > 0 else { return }
            octets += block[..<count]
        }
    }

    /// The request that `octets` are; nil when there is more to come.
    private static func request(_ octets: [UInt8]) -> Request? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard let place = octets.indices.first(where: { octets[$0...].starts(with: end) }) else { return nil }
        let lines = String(decoding: octets[..<place], as: UTF8.self).split(separator: "\r\n").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let name = line.prefix { $0 != ":" }
            headers[name.lowercased()] = String(line.dropFirst(name.count + 1).drop { $0 == " " })
        }
        let body = octets[(place + end.count)...]
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard body.count >= length else { return nil }
        return Request(line: lines.first ?? "", headers: headers, body: Array(body.prefix(length)))
    }

    private static func send(_ octets: [UInt8], to peer: Int32) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func listening(_ address: String, _ port: UInt16) throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard descriptor >= 0, isListening else { throw ProcessFailure("cannot listen on \(address):\(port): errno \(errno)") }
        return (descriptor, UInt16(bigEndian: place.sin_port))
    }
}
