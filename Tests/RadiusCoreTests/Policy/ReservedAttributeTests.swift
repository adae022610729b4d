import Testing

@testable import RadiusCore

@Suite struct ReservedAttributeTests {
    @Test(arguments: [
        ("Message-Authenticator", "0x00"), ("Proxy-State", "0x61"), ("State", "0x61"), ("User-Password", "x"), ("Attr-80", "0x00"),
        ("EAP-Message", "0x01"), ("Attr-26", "0x0102"), ("MS-CHAP2-Success", "0x01"), ("MS-MPPE-Send-Key", "0x01020304"),
    ])
    func refusesWhatTheServerWritesItself(name: String, value: String) throws {
        var compiled = CompiledAttributes()
        compiled.append(name, value, try ShippedDictionaries.loaded.get())
        #expect(compiled.problems.count == 1)
        #expect(compiled.encoded == [])
        #expect(compiled.keyed == [])
    }

    @Test(arguments: [
        ("Acct-Status-Type", "Start"), ("NAS-Port", "7"), ("Acct-Session-Id", "x"), ("Calling-Station-Id", "x"), ("Called-Station-Id", "x"),
        ("NAS-IP-Address", "192.0.2.1"), ("NAS-IPv6-Address", "2001:db8::1"), ("NAS-Identifier", "x"), ("NAS-Port-Id", "x"),
        ("NAS-Port-Type", "Virtual"), ("Error-Cause", "503"), ("Event-Timestamp", "1"), ("Connect-Info", "x"), ("Prompt", "Echo"),
        ("Acct-Output-Gigawords", "1"),
    ])
    func refusesWhatBelongsToOtherPackets(name: String, value: String) throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var compiled = CompiledAttributes()
        compiled.append(name, value, dictionary)
        #expect(compiled.problems.count == 1 && compiled.problems.first?.contains("belongs to requests") == true, "\(compiled.problems)")
        #expect(compiled.encoded == [])
        #expect(throws: RuleFault.self) { try ReplyTarget(name, dictionary) }
    }

    @Test(arguments: [
        ("User-Name", "alice"), ("Acct-Interim-Interval", "600"), ("Port-Limit", "1"), ("Framed-Pool", "a"),
        ("Chargeable-User-Identity", "0x61"),
        ("Class", "0x61"), ("Reply-Message", "hello"), ("Cisco-AVPair", "ip:vrf-id=a"), ("Mikrotik-Address-List", "a"),
        ("MS-Primary-DNS-Server", "192.0.2.1"), ("Filter-Id", "a"),
    ])
    func takesWhatANASMayBeTold(name: String, value: String) throws {
        var compiled = CompiledAttributes()
        compiled.append(name, value, try ShippedDictionaries.loaded.get())
        #expect(compiled.problems == [])
        #expect(!compiled.encoded.isEmpty)
    }
}
