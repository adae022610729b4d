import Support
import Testing

extension SpineTests {
    /// CVE-2024-3596: who once signed must go on signing, and unsigned Proxy-State is no longer believed.
    @Suite struct BlastRADIUS {
        private static func unsigned(_ user: String, _ extra: String...) -> [String] {
            [#"User-Name = "\#(user)""#, #"User-Password = "\#(TestSubscriber.password)""#] + extra
        }

        /// A NAS that has not sent anything yet, known on the packet path.
        private static func newcomer(_ owner: Operator, _ daemon: DaemonProcess, fields: String = "") async throws -> Radclient {
            let nas = try await TestNAS.create(owner, fields: fields)
            try await eventually {
                try await daemon.client.send("GET", "/metrics").text.contains(#"nas="\#(nas.name)""#)
            }
            return Radclient(daemon, as: nas)
        }

        @Test func whoOnceSignedMustGoOnSigning() async throws {
            let daemon = try await SharedDaemon.get()
            let client = try await Self.newcomer(Operator(daemon), daemon)
            #expect(try await client.send("auth", Self.unsigned("alice")).code == "Access-Accept")
            #expect(try await client.login("alice").code == "Access-Accept")
            #expect(try await client.impatient.send("auth", Self.unsigned("alice")).code == nil)
            #expect(try await client.login("alice").code == "Access-Accept")
        }

        @Test func unsignedProxyStateIsDroppedOnceThePlainRequestWasSeen() async throws {
            let daemon = try await SharedDaemon.get()
            let client = try await Self.newcomer(Operator(daemon), daemon)
            #expect(try await client.send("auth", Self.unsigned("alice")).code == "Access-Accept")
            #expect(try await client.impatient.send("auth", Self.unsigned("alice", "Proxy-State = 0x2a")).code == nil)
            let signed = try await client.login("alice", TestSubscriber.password, "Proxy-State = 0x2a")
            #expect(signed.values("Proxy-State") == ["0x2a"], "\(signed.transcript)")
        }

        @Test func theOperatorsRuleStandsAboveWhatWasLearned() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let strict = try await Self.newcomer(owner, daemon, fields: #","require_message_authenticator":"yes""#)
            #expect(try await strict.impatient.send("auth", Self.unsigned("alice")).code == nil)
            #expect(try await strict.login("alice").code == "Access-Accept")
            let lenient = try await Self.newcomer(owner, daemon, fields: #","require_message_authenticator":"no""#)
            #expect(try await lenient.login("alice").code == "Access-Accept")
            #expect(try await lenient.send("auth", Self.unsigned("alice")).code == "Access-Accept")
        }
    }
}
