import Glibc
import Synchronization

/// An HTTP server on a free loopback port that answers each connection with the next prepared answer.
final class ScriptedHTTPServer: Sendable {
    let port: UInt16
    private let fd: Int32
    private let seen = Mutex<[String]>([])

    init(_ answers: [String]) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listening = fd
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, length) == 0 && listen(listening, 8) == 0 && getsockname(listening, $0, &length) == 0
            }
        }
        guard isBound else { throw Refused(errno: errno) }
        port = UInt16(bigEndian: address.sin_port)
        let body = Unmanaged.passRetained(Script(server: self, answers: answers))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let script = Unmanaged<Script>.fromOpaque(context).takeRetainedValue()
                for answer in script.answers { script.server.serve(answer) }
                close(script.server.fd)
                return nil
            }, body.toOpaque())
        pthread_detach(thread)
    }

    struct Refused: Error {
        let errno: Int32
    }

    private final class Script: Sendable {
        let server: ScriptedHTTPServer
        let answers: [String]

        init(server: ScriptedHTTPServer, answers: [String]) {
            self.server = server
            self.answers = answers
        }
    }

    /// The requests so far, headers and body.
    var requests: [String] { seen.withLock { $0 } }

    private func serve(_ answer: String) {
        let peer = accept(fd, nil, nil)
        guard peer >= 0 else { return }
        defer { close(peer) }
        var request: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while !Self.isComplete(request) {
            let count = read(peer, &block, block.count)
            guard count > 0 else { break }
            request += block[..<count]
        }
        seen.withLock { $0.append(String(decoding: request, as: UTF8.self)) }
        let octets = Array(answer.utf8)
        _ = write(peer, octets, octets.count)
    }

    private static func isComplete(_ request: [UInt8]) -> Bool {
        let text = String(decoding: request, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let head = text[..<end.lowerBound].lowercased()
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }.flatMap {
            Int($0.dropFirst(15).filter(\.isNumber))
        }
        return text[end.upperBound...].utf8.count >= length ?? 0
    }

    /// An answer with its head.
    static func answer(_ status: Int, _ body: String, type: String = "application/json") -> String {
        "HTTP/1.1 \(status) X\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }

    static func problem(_ status: Int, _ body: String) -> String { answer(status, body, type: "application/problem+json") }
}

extension String {
    /// Where `text` stands first.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        guard let first = self.unicodeScalars.indices.first(where: { self.unicodeScalars[$0...].starts(with: text.unicodeScalars) }) else {
            return nil
        }
        return first..<unicodeScalars.index(first, offsetBy: text.unicodeScalars.count)
    }
}
