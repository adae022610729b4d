import Glibc
import RadiusCore
import Support
import Testing

/// Against `openssl s_client` and `openssl s_server` over a loopback socket.
@Suite struct TLSOpenSSLProgramTests {
    @Test(arguments: [("-tls1_2", TLSSettings.Version.tls12), ("-tls1_3", .tls13)])
    func servesOpensslsClient(option: String, version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let context = try authority.server { $0.resumption = .init() }
            let listener = try LoopbackSocket.listen()
            defer { listener.end() }
            let path = authority.path
            let client = try await Tool.start(
                "openssl",
                ["s_client", "-connect", "127.0.0.1:\(listener.port)", option, "-CAfile", "\(path)/ca.pem", "-cert", "\(path)/alice.pem"]
                    + ["-key", "\(path)/alice.key", "-verify_return_error", "-verify_hostname", "radius.example.net"]
                    + ["-sess_out", "\(path)/session", "-ign_eof", "-keymatexport", "client EAP encryption", "-keymatexportlen", "128"])
            defer { client.remove() }
            let (server, received) = try await onOwnThread {
                let socket = try listener.accept()
                defer { socket.end() }
                let server = try TLSConversation(context)
                try socket.carry(server) { server.state != .handshaking }
                server.keepSession(remembering: [4])
                #expect(server.write(Array("hello\n".utf8)))
                server.close()
                try socket.carry(server) { server.state != .established }
                return (server, server.read())
            }
            #expect(server.state == .closed && received == [] && server.protocolVersion == version)
            #expect(server.peer?.commonName == "alice")
            #expect(try await client.process.end() == 0)
            #expect(client.output.contains("hello\n") && client.output.contains("Verify return code: 0 (ok)"))
            // Its keys are ours (RFC 5705).
            let keys = try #require(server.exportKeyingMaterial(label: "client EAP encryption", count: 128))
            #expect(client.output.contains("Keying material: " + Hexadecimal.text(keys, uppercase: true)), "\(client.output)")
            try await resumes(option, context, path)
        }
    }

    /// The client comes again with its session.
    private func resumes(_ option: String, _ context: TLSContext, _ path: String) async throws {
        let listener = try LoopbackSocket.listen()
        defer { listener.end() }
        let client = try await Tool.start(
            "openssl",
            ["s_client", "-connect", "127.0.0.1:\(listener.port)", option, "-CAfile", "\(path)/ca.pem", "-sess_in", "\(path)/session"])
        defer { client.remove() }
        let server = try await onOwnThread {
            let socket = try listener.accept()
            defer { socket.end() }
            let server = try TLSConversation(context)
            try socket.carry(server) { server.state != .handshaking }
            return server
        }
        #expect(server.isResumed && server.remembered == [4], "\(server.state)")
        #expect(server.peer?.commonName == "alice")
    }

    @Test(arguments: [("-tls1_2", TLSSettings.Version.tls12), ("-tls1_3", .tls13)])
    func calls(option: String, version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let path = authority.path
            let program = try await Tool.start(
                "openssl",
                ["s_server", "-accept", "127.0.0.1:0", option, "-CAfile", "\(path)/ca.pem", "-cert", "\(path)/server.pem"]
                    + ["-key", "\(path)/server.key", "-Verify", "1", "-verify_return_error", "-naccept", "1", "-rev"])
            defer { program.remove() }
            let place = try await program.line { $0.hasPrefix("ACCEPT ") }
            let port = try #require(place.split(separator: ":").last.flatMap { UInt16($0) })
            let context = try authority.client()
            let client = try await onOwnThread {
                let socket = try LoopbackSocket.connect(port)
                defer { socket.end() }
                let client = try TLSConversation(context, serverName: "radius.example.net")
                client.start()
                try socket.carry(client) { client.state != .handshaking }
                #expect(client.write(Array("abc\n".utf8)))
                var answer: [UInt8] = []
                try socket.carry(client) {
                    answer += client.read()
                    return answer.count >= 4 || client.state != .established
                }
                #expect(String(decoding: answer, as: UTF8.self) == "cba\n")
                return client
            }
            #expect(client.state == .established && client.protocolVersion == version)
            #expect(client.peer?.names.dnsNames == ["radius.example.net"])
        }
    }

    @Test func tellsOpensslsClientWhatIsWrong() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("late", usage: "clientAuth", validity: ["-days", "-1"])
            let context = try authority.server()
            let listener = try LoopbackSocket.listen()
            defer { listener.end() }
            let path = authority.path
            let client = try await Tool.start(
                "openssl",
                ["s_client", "-connect", "127.0.0.1:\(listener.port)", "-tls1_3", "-CAfile", "\(path)/ca.pem", "-cert", "\(path)/late.pem"]
                    + ["-key", "\(path)/late.key", "-ign_eof"])
            defer { client.remove() }
            let state = try await onOwnThread {
                let socket = try listener.accept()
                defer { socket.end() }
                let server = try TLSConversation(context)
                try socket.carry(server) { server.state != .handshaking }
                return server.state
            }
            #expect(state == .failed(.certificate(.expired, depth: 0)))
            _ = try await client.process.end()
            #expect(client.errors.contains("alert certificate expired"), "\(client.errors)")
        }
    }
}

/// A TCP socket on the loopback interface, for a thread that may block.
struct LoopbackSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    static func listen() throws -> LoopbackSocket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in(host: 0x7f00_0001, port: 0)
        let isBound = withAddress(&address) { bind(descriptor, $0, $1) == 0 }
        guard isBound, Glibc.listen(descriptor, 1) == 0 else { throw ProcessFailure("cannot listen: \(errno)") }
        var count = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withAddress(&address) { known, _ in getsockname(descriptor, UnsafeMutablePointer(mutating: known), &count) }
        return LoopbackSocket(descriptor: descriptor, port: UInt16(bigEndian: address.sin_port))
    }

    static func connect(_ port: UInt16) throws -> LoopbackSocket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in(host: 0x7f00_0001, port: port)
        guard withAddress(&address, { Glibc.connect(descriptor, $0, $1) == 0 }) else { throw ProcessFailure("cannot connect: \(errno)") }
        return LoopbackSocket(descriptor: descriptor, port: port)
    }

    func accept() throws -> LoopbackSocket {
        try wait(descriptor)
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw ProcessFailure("cannot accept: \(errno)") }
        return LoopbackSocket(descriptor: accepted, port: port)
    }

    func end() { close(descriptor) }

    /// Carries octets between `conversation` and the socket until `isDone`, or the other side closes.
    func carry(_ conversation: TLSConversation, until isDone: () -> Bool) throws {
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let output = conversation.takeOutput()
            guard output.isEmpty || send(descriptor, output, output.count, Int32(MSG_NOSIGNAL)) == output.count else { return }
            if isDone() { return }
            try wait(descriptor)
            let count = recv(descriptor, &block, block.count, 0)
            guard count > 0 else { return }
            conversation.receive(Array(block[..<count]).span)
        }
    }

    /// Until there is something to read, a minute at most.
    private func wait(_ descriptor: Int32) throws {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 60_000) == 1 else { throw ProcessFailure("nothing came within a minute") }
    }

    private static func withAddress<Value>(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
