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
