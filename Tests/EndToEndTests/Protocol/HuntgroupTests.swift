import Support
import Testing

extension ProtocolTests {
    /// Groups of NAS, from the interface to what a NAS is answered.
    @Suite struct Huntgroups {
        @Test func aRuleOfAHuntgroupReachesItsNASOnly() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let number = await Serial.next()
            let group = "group-\(number)"
            let inside = try await TestNAS.create(owner, fields: #","huntgroup":"\#(group)""#)
            let outside = try await TestNAS.create(owner)
            let user = try await TestSubscriber.create(owner).name
            let tool = CommandLineTool(daemon)
            let rule = try await tool.run(
                "policy-rule", "create", "--name", group, "--priority", "10", "--outcome", "reject", "--message", "Not from there.",
                "--condition", "nas.huntgroup == \"\(group)\" and User-Name == \"\(user)\"")
            #expect(rule.status == 0, "\(rule)")
            try await eventually { try await Radclient(daemon, as: outside).impatient.login(user).code == "Access-Accept" }
            try await eventually {
                try await Radclient(daemon, as: inside).impatient.login(user).values("Reply-Message") == ["Not from there."]
            }
            let explained = try await tool.run("subscriber", "explain", user, "--nas", inside.name)
            #expect(explained.output.contains("rule        \(group) (10) holds"), "\(explained)")
            #expect(try await owner.list("nas?huntgroup=\(group)").compactMap { $0["name"]?.text } == [inside.name])

            let left = try await tool.run("nas", "update", inside.name, "--clear", "huntgroup")
            #expect(left.status == 0, "\(left)")
            try await eventually { try await Radclient(daemon, as: inside).impatient.login(user).code == "Access-Accept" }
            try await owner.delete("policy-rules/\(group)")
        }
    }
}
