import Certificates
import RadiusCore
import Support
import Testing

/// What is issued here does in a handshake what it was issued for.
@Suite struct HandshakeTests {
    @Test(arguments: KeyType.allCases)
    func clientsPassUntilTheyAreRevoked(keyType: KeyType) async throws {
        try await Authority.with(keyType: keyType) { authority in
            _ = try authority.issue(.server, "radius.example.net") {
                $0.dnsNames = ["radius.example.net"]
                $0.keyType = keyType
            }
            let alice = try authority.issue(.client, "alice") {
                $0.userPrincipalNames = ["alice@example.net"]
                $0.keyType = keyType
            }
            let slot = TLSContextSlot(try context(authority, .server, "radius.example.net"))
            let client = try context(authority, .client, "alice")
            let passed = try handshake(slot.current, client)
            #expect(passed.state == .established && passed.peer?.serialText == alice.record.serial)
            #expect(passed.peer?.names.userPrincipalNames == ["alice@example.net"])
            #expect(slot.current.revocationListEnd == authority.now + 365 * 86400)
            _ = try authority.authority.revoke("alice", now: authority.now)
            guard case .replaced(let renewed) = slot.refresh() else { return #expect(Bool(false), "the new list was not noticed") }
            #expect(try handshake(renewed, client).state == .failed(.certificate(.revoked, depth: 0)))
        }
    }

    @Test func radSecPeersDoForBothSides() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.radsec, "a.example.net") { $0.dnsNames = ["a.example.net"] }
            let server = try handshake(try context(authority, .server, "a.example.net"), try context(authority, .client, "a.example.net"))
            #expect(server.state == .established && server.peer?.names.dnsNames == ["a.example.net"])
        }
    }

    private func context(_ authority: Authority, _ role: TLSSettings.Role, _ name: String) throws -> TLSContext {
        var settings = TLSSettings(role: role)
        settings.certificatePath = authority.directory.certificate(name)
        settings.keyPath = authority.directory.key(name)
        settings.authorityPath = authority.directory.authorityCertificate
        settings.revocationListPath = authority.directory.revocationList
        return try TLSContext(settings)
    }

    /// The server's side of a handshake with a client that expects a name.
    private func handshake(_ server: TLSContext, _ client: TLSContext) throws -> TLSConversation {
        let name = try #require(server.certificates.first?.names.dnsNames.first)
        let (ours, theirs) = (try TLSConversation(server), try TLSConversation(client, serverName: name))
        theirs.start()
        while theirs.outputCount > 0 || ours.outputCount > 0 {
            ours.receive(theirs.takeOutput().span)
            theirs.receive(ours.takeOutput().span)
        }
        return ours
    }
}
