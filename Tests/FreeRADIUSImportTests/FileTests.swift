import FreeRADIUSImport
import Testing

@Suite struct FileTests {
    private static func users(_ text: String, files: [String: String] = [:]) throws -> FreeRADIUSSource {
        var reader = UsersFile(into: FreeRADIUSSource()) { path in
            guard let text = files[path] else { throw SourceFault(line: 1, "no such file") }
            return Array(text.utf8)
        }
        try reader.read(Array(text.utf8), name: "users")
        return reader.source
    }

    private static func clients(_ text: String) throws -> FreeRADIUSSource {
        var reader = ClientsFile("clients.conf", into: FreeRADIUSSource())
        try reader.read(Array(text.utf8))
        return reader.source
    }

    @Test func readsEntriesWithQuotesTagsAndComments() throws {
        let source = try Self.users(
            """
            # staff
            alice\tCleartext-Password := "p, \\"w\\" # no comment", Simultaneous-Use:=1   # comment
            \tTunnel-Type:1 = VLAN,
            \tReply-Message = 'a\\b',

            "bob smith" NT-Password := 0x8846F7EAEE8FB117AD06BDD830B7586C\r
                Framed-IP-Address = 192.0.2.7, Fall-Through = Yes
            DEFAULT Framed-Protocol == PPP
            """)
        let alice = try #require(source.users["alice"]?.entries.first)
        #expect(alice.check.map(\.value) == ["p, \"w\" # no comment", "1"])
        #expect(alice.check.map(\.operation) == [.set, .set])
        #expect(alice.check[1].attribute == "Simultaneous-Use")
        #expect(alice.reply.map(\.attribute) == ["Tunnel-Type:1", "Reply-Message"])
        #expect(alice.reply[1].value == "a\\b")
        #expect(alice.reply[1].place == Place("users", 4))
        let bob = try #require(source.users["bob smith"]?.entries.first)
        #expect(bob.reply.map(\.value) == ["192.0.2.7", "Yes"])
        #expect(source.defaults.count == 1)
        #expect(source.remarks == [])
    }

    @Test func badLinesAreRemarkedAndTheRestIsRead() throws {
        let source = try Self.users(
            "alice Cleartext-Password := \"x\n\tA = b\nbob Cleartext-Password\ncarol X := 1\n\tReply = \n\tMore = 1\ndave Y := 2\n")
        #expect(source.remarks.map(\.place) == [Place("users", 1), Place("users", 3), Place("users", 5)])
        #expect(source.remarks.allSatisfy { $0.level == .skipped })
        #expect(source.users.all.map(\.name) == ["dave"])
    }

    @Test func followsIncludedFilesButNotForEver() throws {
        let source = try Self.users("$INCLUDE more\n", files: ["more": "eve Cleartext-Password := a\n"])
        #expect(source.users["eve"]?.place == Place("more", 1))
        #expect(throws: SourceFault.self) { try Self.users("$INCLUDE loop", files: ["loop": "$INCLUDE loop\n"]) }
        #expect(throws: SourceFault(line: 1, "no such file")) { try Self.users("$INCLUDE gone") }
    }

    @Test func readsClients() throws {
        let source = try Self.clients(
            """
            client core1 { # the first
                ipaddr = 192.0.2.0/24
                secret = "s#cr}t"
                nas_type = mikrotik
                require_message_authenticator = yes
                limit { max_connections = 16 }
                virtual_server = guests
            }
            client 2001:db8::1 { secret = testing123 }
            client all { ipaddr = * ; secret = x }
            """.replacing(" ; ", with: "\n"))
        #expect(source.clients.map(\.name) == ["core1", "2001:db8::1", "all"])
        #expect(source.clients.map(\.address) == ["192.0.2.0/24", "2001:db8::1", "0.0.0.0/0"])
        #expect(source.clients.map(\.secret) == ["s#cr}t", "testing123", "x"])
        #expect(source.clients[0].type == "mikrotik")
        #expect(source.clients[0].others.map(\.name) == ["limit.max_connections", "virtual_server"])
        #expect(source.clients[0].requireMessageAuthenticator == "yes")
    }

    /// What FreeRADIUS 3.2 shows of each when it checks its configuration.
    @Test(arguments: [
        (#""a\\b""#, #"a\\b"#), (#""a\tb""#, #"a\tb"#), (#""a\"b""#, #"a"b"#), (#""a\\""#, #"a\\"#), (#"'a\'b'"#, "a'b"),
        (#"'a\\b'"#, #"a\\b"#),
        ("a}b", "a}b"), ("a#b", "a#b"), ("a=b", "a=b"), ("a{b", "a{b"), ("a,nas_type=x", "a"), ("$b", "$b"), ("'${b}'", "${b}"),
        (#"'$ENV{B}'"#, "$ENV{B}"), (#""%{b}""#, "%{b}"),
    ]) func secretsAreReadAsFreeRADIUSReadsThem(text: String, secret: String) throws {
        let source = try Self.clients("client c {\n  ipaddr = 192.0.2.1\n  secret = \(text)\n}\n")
        #expect(source.clients.map(\.secret) == [secret])
        #expect(source.remarks == [])
    }

    @Test(arguments: [
        ("secret = ${one}", "secret with ${one}"), ("secret = \"a$ENV{ONE}b\"", "secret with $ENV{ONE}"),
        ("secret = \"a\\${one}\"", "secret with ${one}"), ("secret = testing-${one", "secret with ${"),
        ("shortname = $ENV{ONE}${two}", "shortname with $ENV{ONE}"), ("virtual_server = ${one}", "virtual_server with ${one}"),
    ]) func aClientWithAVariableIsLeftOut(setting: String, what: String) throws {
        let source = try Self.clients(
            """
            client c {
                secret = testing123
                \(setting)
            }
            client 192.0.2.1 {
                secret = testing123
                limit { lifetime = ${one} }
            }
            """)
        #expect(source.clients.map(\.name) == ["192.0.2.1"])
        #expect(source.remarks.map(\.what) == [what])
        #expect(source.remarks.map(\.level) == [.skipped])
        #expect(source.remarks.map(\.place) == [Place("clients.conf", 3)])
        #expect(source.remarks.map(\.subject) == ["c"])
    }

    @Test func aSectionsNameIsTheAddressWhereNoSettingGivesOne() throws {
        let source = try Self.clients(
            """
            client 192.0.2.1 {
                secret = x
                shortname = core1
            }
            client 198.51.100.0 {
                shortname = edge
                netmask = 24
                secret = x
            }
            client core3 {
                netmask = 16
                ipaddr = 203.0.113.0
                secret = x
            }
            """)
        #expect(source.clients.map(\.name) == ["core1", "edge", "core3"])
        #expect(source.clients.map(\.address) == ["192.0.2.1", "198.51.100.0/24", "203.0.113.0/16"])
    }

    @Test(arguments: ["client a {", "}", "client a b c {", "x y"]) func refusesUnmatchedBraces(text: String) {
        #expect(throws: SourceFault.self) { try Self.clients(text) }
    }

    @Test func hostileFilesEndInFaultsOrRemarks() throws {
        var generator = SplitMix(state: 7)
        let signs = Array("ab:=+\"'`\\#{},\t \n$%=~!*0".utf8)
        var remarks = 0
        for _ in 0..<4000 {
            let octets = (0..<Int.random(in: 0...80, using: &generator)).map { _ in signs.randomElement(using: &generator) ?? 0 }
            let text = String(decoding: octets, as: UTF8.self)
            remarks += (try? Self.users(text))?.remarks.count ?? 1
            _ = try? Self.clients(text)
        }
        #expect(remarks > 1000)
    }
}
