import RadiusCore
import Support
import Testing

@testable import Provisioning

@Suite struct HostileRecordTests {
    @Test func aRecordThatTheDatabaseRefusesStandsAsideAndTheRestGoesOn() async throws {
        try await AccountingBench.run { bench in
            var packets = (0..<200).map { AccountingPacket(1, session: "s\($0)", user: "u\($0)", event: Int64($0)) }
            for place in [0, 77, 78, 199] { packets[place].tenant = -1 }
            let statistics = try await bench.ship(packets)
            #expect(statistics.records == 200)
            #expect(statistics.rejected == 4)
            #expect(try await bench.number("SELECT count(*) FROM aaa.session") == 196)
            #expect(try await bench.number("SELECT count(DISTINCT sequence) FROM aaa.accounting_record") == 196)
            #expect(try await bench.texts("SELECT sequence FROM aaa.accounting_reject ORDER BY sequence") == ["1", "78", "79", "200"])
            let packet = try await bench.texts("SELECT packet FROM aaa.accounting_reject WHERE sequence = 78")
            #expect(packet == [Hexadecimal.text(packets[77].octets)])
            let reasons = try await bench.texts("SELECT reason FROM aaa.accounting_reject")
            #expect(reasons.allSatisfy { $0.contains("session_tenant_id_check") })
        }
    }

    @Test func aPacketThatDoesNotDecodeStandsAside() async throws {
        try await AccountingBench.run { bench in
            var bad = AccountingPacket(1, event: 0)
            bad.attributes.removeAll { $0.0 == 40 }
            try await bench.ship([bad, AccountingPacket(1, event: 1)])
            #expect(try await bench.texts("SELECT reason FROM aaa.accounting_reject") == ["accountingIncomplete"])
            #expect(try await bench.number("SELECT count(*) FROM aaa.session") == 1)
        }
    }

    @Test func namesOfAllOctetsAreStoredAndStayDifferent() async throws {
        try await AccountingBench.run { bench in
            let names: [[UInt8]] = [
                Array("a\0b".utf8), Array(#"a\x00b"#.utf8), [0xff, 0xfe], Array("line\r\nbreak".utf8), Array("žofie 🦊".utf8),
                Array("DOMAIN\\user".utf8), [UInt8](repeating: 0x80, count: 253), Array("'; DROP TABLE aaa.session; --".utf8),
            ]
            let packets = names.enumerated().map { place, name -> AccountingPacket in
                var packet = AccountingPacket(1, session: "s", event: Int64(place))
                packet.attributes[2] = (1, name)
                packet.attributes[1] = (44, name)
                return packet
            }
            let statistics = try await bench.ship(packets)
            #expect(statistics.opened == UInt64(names.count))
            #expect(statistics.rejected == 0)
            let stored = Set(try await bench.texts("SELECT username FROM aaa.session"))
            #expect(stored.count == names.count)
            #expect(stored.contains(#"a\x00b"#))
            #expect(stored.contains(#"a\x5cx00b"#))
            #expect(stored.contains("žofie 🦊"))
            #expect(stored.contains("DOMAIN\\user"))
            #expect(stored.contains(#"line\x0d\x0abreak"#))
        }
    }

    @Test func differentOctetsNeverBecomeTheSameText() {
        var random = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0, 0x5c, 0x78, 0x30, 0x35, 0x63, 0xc3, 0xa9, 0xc2, 0x85, 0xff, 0x41]
        var seen: [String: [UInt8]] = [:]
        for _ in 0..<20_000 {
            let octets = (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let text = StorableText.of(octets)
            #expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7f })
            if let before = seen[text] { #expect(before == octets) }
            seen[text] = octets
        }
        #expect(seen.count > 1000)
    }

    @Test func everyPacketOfRandomOctetsIsAccountedForSomewhere() async throws {
        try await AccountingBench.run { bench in
            var random = SystemRandomNumberGenerator()
            let types: [UInt8] = [1, 4, 5, 8, 25, 30, 31, 32, 41, 42, 43, 44, 46, 49, 50, 52, 53, 55, 61, 87, 95, 96, 97, 123, 168]
            let packets = (0..<300).map { place -> AccountingPacket in
                var packet = AccountingPacket([1, 2, 3, 7, 8, 99].randomElement(using: &random) ?? 1, event: Int64(place))
                for _ in 0..<Int.random(in: 0...12, using: &random) {
                    let count = Bool.random(using: &random) ? 4 : Int.random(in: 0...40, using: &random)
                    let value = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                    packet.attributes.insert((types.randomElement(using: &random) ?? 1, value), at: 0)
                }
                return packet
            }
            let statistics = try await bench.ship(packets)
            #expect(statistics.records == 300)
            let stored = try await bench.number("SELECT count(*) FROM aaa.accounting_record")
            let rejected = try await bench.number("SELECT count(*) FROM aaa.accounting_reject")
            #expect(stored + rejected + Int64(statistics.duplicates) == 300)
        }
    }
}
