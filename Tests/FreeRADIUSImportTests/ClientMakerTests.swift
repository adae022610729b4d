import RadiusCore
import Testing

@testable import FreeRADIUSImport

@Suite struct ClientMakerTests {
    @Test func clientsBecomeNASesOfTheMakeThatTheRatesAreOf() throws {
        let plan = try ImporterTests.plan(
            """
            radgroupreply|home|Mikrotik-Rate-Limit|=|10M/50M
            nas|192.0.2.1| core1 |other|1700|testing-secret||public|RADIUS Client
            nas|198.51.100.9/255.255.255.0|core1|cisco||testing-secret|guests||
            nas|router.example.net|core3|other||testing-secret|||
            nas|192.0.2.1/32|again|other||testing-secret|||
            nas|2001:db8::1|v6|strange||s|||
            nas|192.0.2.9|empty|other|||||
            nas|not a name|odd|other||testing-secret|||
            """)
        #expect(plan.nas.map(\.address) == ["192.0.2.1/32", "198.51.100.0/24", "", "2001:db8::1/128"])
        #expect(plan.nas.map(\.name) == ["core1", "core1 198.51.100.0/24", "core3", "v6"])
        #expect(plan.nas.map(\.dnsName) == [nil, nil, "router.example.net", nil])
        #expect(plan.nas.map(\.vendor) == [.mikrotik, .cisco, .mikrotik, .mikrotik])
        #expect(
            ImporterTests.lines(plan, .skipped) == [
                "nas:5 again: address 192.0.2.1/32", "nas:7 empty: secret", "nas:8 odd: address not a name",
            ])
        #expect(ImporterTests.lines(plan, .lost) == ["nas:3 core1: server guests"])
        #expect(!plan.remarks.contains { "\($0)".contains("testing-secret") })
    }

    @Test func clientsOfRadSecAreNotMadeOnesOfUDP() throws {
        var file = ClientsFile("clients.conf", into: FreeRADIUSSource())
        try file.read(
            Array(
                """
                client edge {
                    ipaddr = 192.0.2.1
                    proto = TLS
                    secret = radsec
                }
                client core {
                    ipaddr = 192.0.2.2
                    proto = *
                    secret = testing-secret
                }
                """.utf8))
        var importer = Importer(file.source, options: .init(), check: { _, _ in nil }, clock: { _ in nil })
        let plan = importer.run()
        #expect(plan.nas.map(\.address) == ["192.0.2.2/32"])
        let left = plan.remarks.filter { $0.level == .skipped }
        #expect(left.map(\.what) == ["proto tls"])
        #expect(left.first?.advice.contains("--tls-identity") == true)
        let note = plan.remarks.first { $0.what == "proto *" }
        #expect(note?.level == .note && note?.advice.contains("radius.tcp: yes") == true)
    }

    @Test(arguments: ["0.0.0.0/0", "::/0"]) func aClientOfAllAddressesIsRemarked(network: String) throws {
        let plan = try ImporterTests.plan("nas|\(network)|all|mikrotik||testing-secret|||")
        #expect(plan.nas.map(\.address) == [network])
        #expect(ImporterTests.lines(plan, .note) == ["nas:1 all: address \(network)"])
    }

    @Test func aMakeThatWasChosenIsNotSaidToBeTheSources() throws {
        var options = Importer.Options()
        options.vendor = .cisco
        let plan = try ImporterTests.plan(
            "radgroupreply|home|Mikrotik-Rate-Limit|=|10M/50M\nnas|192.0.2.1|core1|other||testing-secret|||", options: options)
        #expect(plan.nas.map(\.vendor) == [.cisco])
        #expect(plan.remarks.map(\.why) == ["taken as cisco, as --nas-vendor says"])
    }
}
