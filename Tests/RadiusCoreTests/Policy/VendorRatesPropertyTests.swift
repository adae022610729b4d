import Testing

@testable import RadiusCore

/// Facts that hold for every vendor and every rate.
@Suite struct VendorRatesPropertyTests {
    /// Rates around every border: steps, 32 bits in bit/s and kbit/s, and the largest number there is.
    private static let rates: [UInt64] = [
        1, 999, 1000, 1001, 8000, 64_000, 1_000_000, 1_999_999_999, 2_000_000_001, 4_294_967_295, 4_294_967_296, 10_000_000_000,
        4_294_967_295_000, 4_294_967_296_000, .max,
    ]

    /// Makes whose every rate stands in integers, so that they can be read back.
    private static let integral: [NASVendor] = NASVendor.allCases.filter { vendor in
        ![.mikrotik, .cisco, .ciscoASR9000, .juniper, .nokia, .ericsson, .rtbrick, .vasexperts, .accelppp, .aruba, .mimosa]
            .contains(vendor)
    }

    /// Attribute number and integer value of each vendor attribute.
    private static func integers(_ octets: [UInt8], _ vendor: NASVendor) -> [UInt32: UInt64] {
        let format = vendor == .starent ? VendorFormat(typeOctets: 2, lengthOctets: 2) : VendorFormat()
        var found: [UInt32: UInt64] = [:]
        var start = 0
        while start < octets.count {
            let end = start + Int(octets[start + 1])
            var cursor = AttributeCursor(start + 6..<end, format: format)
            while let member = cursor.next(in: octets.span) {
                found[member.type] = octets[member.range].reduce(0) { $0 << 8 | UInt64($1) }
            }
            start = end
        }
        return found
    }

    @Test(arguments: integral) func risesWithTheRateAndNeverWraps(vendor: NASVendor) {
        var last: [UInt32: UInt64] = [:]
        for rate in Self.rates {
            let plan = BandwidthRate(downloadBitsPerSecond: rate, uploadBitsPerSecond: rate)
            let values = Self.integers(VendorRates.render(plan, for: vendor, in: .accept).attributes, vendor)
            #expect(!values.isEmpty)
            for (number, value) in values {
                #expect(value > 0)
                #expect(value >= last[number] ?? 0)
            }
            last = values
        }
    }

    @Test(arguments: integral) func eachDirectionMovesItsOwnAttributes(vendor: NASVendor) {
        func values(_ down: UInt64, _ up: UInt64) -> [UInt32: UInt64] {
            let plan = BandwidthRate(downloadBitsPerSecond: down, uploadBitsPerSecond: up)
            return Self.integers(VendorRates.render(plan, for: vendor, in: .accept).attributes, vendor)
        }
        let base = values(50_000_000, 10_000_000)
        let fasterDown = values(60_000_000, 10_000_000)
        let fasterUp = values(50_000_000, 20_000_000)
        let downs = Set(base.keys.filter { base[$0] != fasterDown[$0] })
        let ups = Set(base.keys.filter { base[$0] != fasterUp[$0] })
        #expect(!downs.isEmpty && !ups.isEmpty && downs.isDisjoint(with: ups))
        for down in downs { for up in ups { #expect((base[down] ?? 0) == 5 * (base[up] ?? 1)) } }
    }

    @Test(arguments: NASVendor.allCases) func attributesAreWellFormedForEveryRate(vendor: NASVendor) {
        for down in Self.rates {
            for up in [0, 1, down, .max] {
                var plan = BandwidthRate(downloadBitsPerSecond: down, uploadBitsPerSecond: up)
                plan.downloadBurstBitsPerSecond = .max
                plan.burstSeconds = 3600
                plan.priority = 1
                for packet in RatePacket.allCases {
                    let octets = VendorRates.render(plan, for: vendor, in: packet).attributes
                    var cursor = AttributeCursor(0..<octets.count)
                    while cursor.next(in: octets.span) != nil {}
                    #expect(!cursor.isMalformed)
                }
            }
        }
    }

    @Test(arguments: NASVendor.allCases) func everyAlarmHasWords(vendor: NASVendor) {
        let plan = BandwidthRate(downloadBitsPerSecond: .max, uploadBitsPerSecond: 1, downloadPolicy: String(repeating: "p", count: 300))
        for packet in RatePacket.allCases {
            for alarm in VendorRates.render(plan, for: vendor, in: packet).alarms {
                #expect(alarm.message.hasSuffix(".") && alarm.message.utf8.count > 40)
            }
        }
    }
}

/// The table against the dictionaries, which were made apart from it.
@Suite struct VendorRatesDictionaryTests {
    private static let path = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/dictionaries/dictionary"

    @Test func everyRowHasTheDictionarysNumberNameAndKind() throws {
        let dictionary = try RadiusDictionary.load(path: Self.path)
        for row in NASVendor.allCases.flatMap({ VendorRatesTable.table(of: $0).rows }) {
            let found = dictionary.attribute(number: UInt32(row.number), vendor: row.vendor)
            let attribute = try #require(found, "\(row.name) is not in the dictionaries")
            #expect(attribute.name.lowercased() == row.name.lowercased())
            switch row.value {
            case .integer(_, _, _, let octets): #expect(attribute.type == (octets == 8 ? .integer64 : .integer), "\(row.name)")
            case .constant: #expect(attribute.type == .integer, "\(row.name)")
            case .text, .policy, .sharedPolicy: #expect(attribute.type == .string, "\(row.name)")
            }
        }
    }
}
