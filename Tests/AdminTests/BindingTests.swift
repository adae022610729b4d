import Admin
import Testing

@Suite struct BindingTests {
    @Test func whatSubscribersAreBoundToIsStoredAsItIsWritten() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post(
                "/api/v1/subscribers",
                [
                    "username": "alice", "mac_binding": "enforce", "macs": ["0053.0012.3456", "00-53-00-12-34-57"], "line_binding": "log",
                    "circuit_ids": ["bng1 eth 0/1", "0x0004"], "session_limit": 0, "on_session_limit": "replace",
                ])
            #expect(made.status == 201, "\(made.text)")
            #expect(made["macs"] == ["0053.0012.3456", "00-53-00-12-34-57"] && made["circuit_ids"] == ["bng1 eth 0/1", "0x0004"])
            #expect(made["mac_binding"] == "enforce" && made["bind_on_first_use"] == false)
            #expect(made["session_limit"] == 0 && made["on_session_limit"] == "replace")
            let plain = try await fixture.post("/api/v1/subscribers", ["username": "bob"])
            #expect(plain["mac_binding"] == "ignore" && plain["macs"] == [] && plain["session_limit"] == .null, "\(plain.text)")
        }
    }

    @Test func whatWouldLetNobodyInIsRefused() async throws {
        try await AdminFixture.run { fixture in
            let nothing = try await fixture.post(
                "/api/v1/subscribers", ["username": "alice", "mac_binding": "enforce", "line_binding": "log"])
            #expect(nothing.status == 422 && nothing.text.contains("mac_binding needs some") && nothing.text.contains("line_binding needs"))
            let nonsense = try await fixture.post("/api/v1/subscribers", ["username": "alice", "macs": ["00:53:00:12:34"]])
            #expect(nonsense.status == 422 && nonsense.text.contains("a hardware address is expected"), "\(nonsense.text)")
            let digits = try await fixture.post("/api/v1/subscribers", ["username": "alice", "circuit_ids": ["0x123"]])
            #expect(digits.status == 422 && digits.text.contains("pairs of hexadecimal digits"), "\(digits.text)")
            let long = (0..<9).map { number in JSON.string(String(repeating: "x", count: 119) + "\(number)") }
            let large = try await fixture.post("/api/v1/subscribers", ["username": "alice", "circuit_ids": .array(long)])
            #expect(large.status == 422 && large.text.contains("1024 octets"), "\(large.text)")
            let learning = try await fixture.post(
                "/api/v1/subscribers", ["username": "alice", "mac_binding": "enforce", "bind_on_first_use": true])
            #expect(learning.status == 201, "\(learning.text)")
            let off = try await fixture.patch("/api/v1/subscribers/alice", ["bind_on_first_use": false])
            #expect(off.status == 422 && off.faults == ["/macs required"], "\(off.text)")
            #expect(off.text.contains("mac_binding needs some, or bind_on_first_use"), "\(off.text)")
            let line = try await fixture.patch(
                "/api/v1/subscribers/alice", ["mac_binding": "ignore", "line_binding": "log", "bind_on_first_use": false])
            #expect(line.status == 422 && line.text.contains("line_binding needs some, or remote_ids"), "\(line.text)")
        }
    }

    private static func load(_ fixture: AdminFixture, _ file: String, _ query: String = "") async throws -> Reply {
        try await fixture.send("POST", "/api/v1/subscribers/import" + query, Array(file.utf8), headers: [("Content-Type", "text/csv")])
    }

    @Test func aFileBindsNobodyToNothingOrToTooMuch() async throws {
        try await AdminFixture.run { fixture in
            let long = (0..<9).map { String(repeating: "x", count: 119) + "\($0)" }.joined(separator: ";")
            let file = """
                username,mac_binding,macs,line_binding,circuit_ids,bind_on_first_use
                alice,enforce,00:53:00:12:34:56,,,
                bob,enforce,,log,,
                carol,enforce,,,,true
                dave,,,log,\(long),
                """
            let refused = try await Self.load(fixture, file)
            #expect(refused.status == 422, "\(refused.text)")
            #expect(refused.faults == ["3 circuit_ids required", "3 macs required", "5 circuit_ids length"])
            #expect(refused.text.contains("mac_binding needs some, or bind_on_first_use"))
            let partial = try await Self.load(fixture, file, "?partial=true")
            #expect(partial["imported"] == 2 && partial["refused"] == 2, "\(partial.text)")
            // What the file does not tell is as it is stored: alice has a station, carol has none.
            let off = try await Self.load(fixture, "username,bind_on_first_use\nalice,false\ncarol,false\n", "?existing=update")
            #expect(off.status == 422 && off.faults == ["3 macs required"], "\(off.text)")
            let bare = try await Self.load(fixture, "username,macs\nalice,\n", "?existing=update")
            #expect(bare.status == 422 && bare.faults == ["2 macs required"], "\(bare.text)")
        }
    }

    @Test func aFileNamesQuotasAndProfilesApart() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "home50"])
            let quota = try await fixture.post("/api/v1/quotas", ["name": "fair", "octets": 1_000_000, "period": "month"])
            #expect(quota.status == 201, "\(quota.text)")
            let stored = try await Self.load(fixture, "username,profile,quota\nalice,home50,fair\n")
            #expect(stored["imported"] == 1, "\(stored.text)")
            #expect(try await fixture.get("/api/v1/subscribers/alice")["quota"] == "fair")
            let mixed = try await Self.load(fixture, "username,profile,quota\nbob,fair,home50\n")
            #expect(mixed.faults == ["2 profile not_found", "2 quota not_found"], "\(mixed.text)")
            #expect(mixed.text.contains("no quota called"))
        }
    }

    @Test func aProfileLimitsSessions() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/profiles", ["name": "hotspot", "session_limit": 3, "on_session_limit": "replace"])
            #expect(made.status == 201 && made["session_limit"] == 3, "\(made.text)")
            for wrong in [0, 65] {
                let refused = try await fixture.post("/api/v1/profiles", ["name": "x", "session_limit": .number("\(wrong)")])
                #expect(refused.status == 422, "\(refused.text)")
            }
        }
    }
}
