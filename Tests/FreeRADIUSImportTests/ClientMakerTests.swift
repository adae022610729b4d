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
        #expect(plan.nas.map(\.isVendorGuessed) == [true, false, true, true])
        #expect(
            ImporterTests.lines(plan, .skipped) == [
                "nas:5 again: address 192.0.2.1/32", "nas:7 empty: secret", "nas:8 odd: address not a name",
            ])
        #expect(ImporterTests.lines(plan, .lost) == ["nas:3 core1: server guests"])
        #expect(!plan.remarks.contains { "\($0)".contains("testing-secret") })
    }

    private static func plan(_ clients: String) throws -> ImportPlan {
        var file = ClientsFile("clients.conf", into: FreeRADIUSSource())
        try file.read(Array(clients.utf8))
        var importer = Importer(file.source, options: .init(), check: { _, _ in nil }, clock: { _ in nil })
        return importer.run()
    }

    /// A client of one address, of MikroTik's make.
    private static func client(_ name: String, _ proto: String?, _ secret: String = "testing-secret") -> String {
        let setting = proto.map { "  proto = \($0)\n" } ?? ""
        return "client \(name) {\n  ipaddr = 192.0.2.1\n  nas_type = mikrotik\n  secret = \(secret)\n\(setting)}\n"
    }

    @Test func clientsThatDifferByTransportAreOneNAS() throws {
        let merged = try Self.plan(Self.client("core", "udp") + Self.client("core-tcp", "tcp"))
        #expect(merged.nas.map(\.name) == ["core"])
        #expect(merged.remarks.map(\.level) == [.note, .note])
        #expect(merged.remarks.map(\.what) == ["address 192.0.2.1/32", "proto tcp"])
        #expect(merged.remarks.last?.advice.contains("radius.tcp: yes") == true)
        let strict = Self.client("core-tcp", "tcp").replacing("}\n", with: "  require_message_authenticator = yes\n}\n")
        let laxer = try Self.plan(Self.client("core", nil) + strict)
        #expect(laxer.remarks.map(\.level) == [.note, .lost, .note])
        #expect(laxer.remarks.map(\.what)[1] == "require_message_authenticator yes")
        let apart = try Self.plan(Self.client("core", nil) + Self.client("core-tcp", "tcp", "another-secret"))
        #expect(apart.nas.map(\.secret) == ["testing-secret"])
        #expect(apart.remarks.map(\.level) == [.skipped])
        #expect(apart.remarks.first?.why.contains("clients.conf:1 has the same with another secret") == true)
        let twice = try Self.plan(Self.client("core", nil) + Self.client("again", "udp"))
        #expect(twice.remarks.map(\.level) == [.skipped])
    }

    @Test(arguments: ["sctp", "", "\"\""]) func aProtoThatIsNoneIsLost(proto: String) throws {
        let plan = try Self.plan(Self.client("core", proto))
        #expect(plan.nas.map(\.name) == ["core"])
        #expect(plan.remarks.map(\.level) == [.lost])
        #expect(plan.remarks.map(\.what) == [proto == "sctp" ? "proto sctp" : "proto (empty)"])
        #expect(plan.remarks.first?.advice.isEmpty == false)
        #expect(try Self.plan(Self.client("core", "udp")).remarks == [])
    }

    @Test func clientsOfRadSecAreNotMadeOnesOfUDP() throws {
        let plan = try Self.plan(
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
            """)
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
        #expect(plan.nas.map(\.isVendorGuessed) == [false])
        #expect(plan.remarks.map(\.why) == ["taken as cisco, as --nas-vendor says"])
    }
}
