import FoundationEssentials
import Glibc
import Support
import Synchronization

/// An OCSP responder on a loopback port, for which `openssl ocsp` makes the answers from an authority's index.
final class TestResponder: Sendable {
    enum Manner: Sendable {
        case honest
        /// Says nothing until it is told to be of another manner.
        case silent
        /// Answers what is no OCSP.
        case garbled
        /// Says what it said at first, whatever it is asked.
        case repeating
        /// Says what was made ahead, to no question: neither a nonce nor until when it counts.
        case ahead
    }

    private struct State {
        var manner = Manner.honest
        var asked = 0
        var first: [UInt8] = []
        var isStopped = false
    }

    let url: String
    private let listener: LoopbackSocket
    private let authority: TestAuthority
    /// Whose index it reads.
    private let name: String
    /// Path of the certificate that signs, and of its key, without their endings.
    private let signer: String
    private let state = Mutex(State())

    private init(_ authority: TestAuthority, _ name: String, signer: String) throws {
        self.authority = authority
        self.name = name
        self.signer = signer
        listener = try LoopbackSocket.listen()
        url = "http://127.0.0.1:\(listener.port)/ocsp"
    }

    /// Serves as long as `body` runs; `signer` is a path without its ending, the authority's own without one.
    static func with(
        _ authority: TestAuthority, of name: String = "ca", signer: String? = nil, _ body: (TestResponder) async throws -> Void
    ) async throws {
        let responder = try TestResponder(authority, name, signer: signer ?? authority.path + "/" + name)
        defer { responder.listener.end() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await responder.serve() }
            defer { responder.state.withLock { $0.isStopped = true } }
            try await body(responder)
        }
    }

    /// Questions that arrived whole.
    var asked: Int { state.withLock { $0.asked } }

    func behave(_ manner: Manner) { state.withLock { $0.manner = manner } }

    private var manner: Manner? { state.withLock { $0.isStopped ? nil : $0.manner } }

    private func serve() async throws {
        while manner != nil {
            guard let connection = try await onOwnThread({ [self] in try listener.acceptSoon() }) else { continue }
            defer { connection.end() }
            let question = try await onOwnThread { try connection.readRequest() }
            state.withLock { $0.asked += 1 }
            try await Support.eventually { [self] in manner != .silent }
            guard let manner else { return }
            let answer = manner == .garbled ? Array("no OCSP".utf8) : try await answer(question)
            let head = "HTTP/1.0 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: \(answer.count)\r\n\r\n"
            connection.write(Array(head.utf8) + answer)
        }
    }

    private func answer(_ question: [UInt8]) async throws -> [UInt8] {
        let first = state.withLock { $0.first }
        if manner == .repeating, !first.isEmpty { return first }
        let path = authority.path
        if manner == .ahead {
            let own = try await Tool.run(
                "openssl",
                ["ocsp", "-issuer", path + "/\(name).pem", "-cert", path + "/nemo.pem", "-no_nonce", "-reqout", path + "/question"])
            guard own.status == 0 else { throw ProcessFailure("openssl ocsp: \(own.errors)") }
            return try await make([])
        }
        try Data(question).write(to: URL(filePath: path + "/question"))
        let answer = try await make(["-ndays", "1"])
        state.withLock { if $0.first.isEmpty { $0.first = answer } }
        return answer
    }

    private func make(_ options: [String]) async throws -> [UInt8] {
        let path = authority.path
        let result = try await Tool.run(
            "openssl",
            [
                "ocsp", "-index", path + "/\(name).index", "-CA", path + "/\(name).pem", "-rsigner", signer + ".pem", "-rkey",
                signer + ".key",
            ]
                + ["-reqin", path + "/question", "-respout", path + "/answer"] + options)
        guard result.status == 0 else { throw ProcessFailure("openssl ocsp: \(result.errors)") }
        return [UInt8](try Data(contentsOf: URL(filePath: path + "/answer")))
    }
}

extension LoopbackSocket {
    /// Nil when nobody came for a moment.
    fileprivate func acceptSoon() throws -> LoopbackSocket? {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&ready, 1, 50) == 1 ? try accept() : nil
    }

    /// The body of an HTTP request.
    fileprivate func readRequest() throws -> [UInt8] {
        var request: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            if let body = Self.body(of: request) { return body }
            let count = recv(descriptor, &block, block.count, 0)
            guard count > 0 else { throw ProcessFailure("the request ended early: \(request.count) octets") }
            request += block[..<count]
        }
    }

    private static func body(of request: [UInt8]) -> [UInt8]? {
        guard let end = request.indices.first(where: { request[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else { return nil }
        let head = String(decoding: request[..<end], as: UTF8.self).lowercased()
        let length = head.components(separatedBy: "content-length: ").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        let body = request[(end + 4)...]
        return body.count >= length ? Array(body.prefix(length)) : nil
    }

    fileprivate func write(_ octets: [UInt8]) { _ = send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) }
}
