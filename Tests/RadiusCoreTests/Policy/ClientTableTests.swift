import Testing

@testable import RadiusCore

@Suite struct ClientTableTests {
    private func client(_ id: Int64, _ network: String, _ length: Int) throws -> NASClient {
        NASClient(
            id: id, tenant: 1, name: "nas\(id)", network: try #require(IPAddress(text: network)), prefixLength: length,
            secret: SharedSecret(Array("secret".utf8)), vendor: .generic)
    }

    private func find(_ table: ClientTable, _ address: String) throws -> Int64? {
        table.find(try #require(IPAddress(text: address)))?.id
    }

    @Test func theLongestPrefixWins() throws {
        let table = ClientTable([
            try client(1, "10.0.0.0", 96 + 8), try client(2, "10.1.0.0", 96 + 16), try client(3, "10.1.2.3", 128),
            try client(4, "2001:db8::", 32), try client(5, "2001:db8::1", 128),
        ])
        #expect(try find(table, "10.9.9.9") == 1)
        #expect(try find(table, "10.1.9.9") == 2)
        #expect(try find(table, "10.1.2.3") == 3)
        #expect(try find(table, "11.0.0.1") == nil)
        #expect(try find(table, "2001:db8:ffff::2") == 4)
        #expect(try find(table, "2001:db8::1") == 5)
        #expect(try find(table, "2001:db9::1") == nil)
    }

    @Test func anIPv6DefaultDoesNotSwallowIPv4Hosts() throws {
        let table = ClientTable([try client(1, "::", 0), try client(2, "192.0.2.1", 128)])
        #expect(try find(table, "192.0.2.1") == 2)
        #expect(try find(table, "2001:db8::1") == 1)
    }

    @Test func masksBitsOutsideThePrefix() throws {
        let table = ClientTable([try client(1, "192.0.2.77", 96 + 24)])
        #expect(try find(table, "192.0.2.1") == 1)
    }

    @Test(arguments: ["192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::1", "fe80::1:2"])
    func addressesKeepTheirText(text: String) throws {
        #expect(try #require(IPAddress(text: text)).text == text)
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "01.2.3.4x", "::g", "fe80::1%eth0"])
    func refusesWhatIsNoAddress(text: String) {
        #expect(IPAddress(text: text) == nil)
    }
}
