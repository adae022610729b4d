import Glibc
import RadiusCore
import Testing

/// Lines of Tests/Vectors/vendor-rates.txt.
struct VendorRateLine: Sendable, CustomTestStringConvertible {
    let vendor: String
    let packet: String
    let hex: String
    var testDescription: String { "\(vendor) \(packet)" }

    static let all: [VendorRateLine] = {
        let path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let file = fopen("/\(path)/Vectors/vendor-rates.txt", "r") else { return [] }
        defer { fclose(file) }
        var lines: [VendorRateLine] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let octets = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let words = String(decoding: octets, as: UTF8.self).split { $0 == " " || $0 == "\n" }
            guard words.count == 3, words[0] != "#" else { continue }
            lines.append(VendorRateLine(vendor: String(words[0]), packet: String(words[1]), hex: String(words[2])))
        }
        return lines
    }()
}

@Suite struct VendorRatesTests {
    private static let plan = BandwidthRate(downloadBitsPerSecond: 50_000_000, uploadBitsPerSecond: 10_000_000)

    private static func hex(_ octets: [UInt8]) -> String {
        guard !octets.isEmpty else { return "-" }
        return octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func text(_ rendering: RateRendering) -> String {
        String(decoding: rendering.attributes.dropFirst(8), as: UTF8.self)
    }

    @Test(arguments: VendorRateLine.all) func sendsTheGoldenOctets(line: VendorRateLine) throws {
        let vendor = try #require(NASVendor(name: line.vendor))
        var plan = Self.plan
        if line.packet == "named" {
            plan.uploadPolicy = "up-10m"
            plan.downloadPolicy = "down-50m"
        }
        let rendering = VendorRates.render(plan, for: vendor, in: line.packet == "coa" ? .coa : .accept)
        #expect(Self.hex(rendering.attributes) == line.hex)
    }

    @Test(arguments: NASVendor.allCases) func everyVendorHasGoldenLines(vendor: NASVendor) {
        let packets = VendorRateLine.all.filter { $0.vendor == vendor.name }.map(\.packet)
        #expect(Set(packets).isSuperset(of: ["accept", "coa"]))
    }

    @Test(arguments: NASVendor.allCases) func saysNothingOnlyWithAnAlarm(vendor: NASVendor) {
        for packet in RatePacket.allCases {
            let rendering = VendorRates.render(Self.plan, for: vendor, in: packet)
            if rendering.attributes.isEmpty { #expect(!rendering.isFaithful) }
        }
    }

    @Test(arguments: NASVendor.allCases) func unlimitedSendsNothingInAccept(vendor: NASVendor) {
        let unlimited = BandwidthRate(downloadBitsPerSecond: 0, uploadBitsPerSecond: 0)
        let rendering = VendorRates.render(unlimited, for: vendor, in: .accept)
        #expect(rendering == RateRendering(attributes: [], alarms: []))
    }

    @Test func liftsALimitByCoAOnlyWhereZeroMeansUnlimited() {
        let unlimited = BandwidthRate(downloadBitsPerSecond: 0, uploadBitsPerSecond: 0)
        #expect(Self.text(VendorRates.render(unlimited, for: .mikrotik, in: .coa)) == "0/0")
        let huawei = VendorRates.render(unlimited, for: .huawei, in: .coa)
        #expect(huawei == RateRendering(attributes: [], alarms: [.cannotLift(.upload), .cannotLift(.download)]))
    }

    @Test(arguments: NASVendor.allCases) func changesByCoAExactlyWhereCoASaysSomething(vendor: NASVendor) {
        var plan = Self.plan
        plan.uploadPolicy = "same"
        plan.downloadPolicy = "same"
        let rendering = VendorRates.render(plan, for: vendor, in: .coa)
        #expect(VendorRates.canChangeByCoA(vendor) == !rendering.attributes.isEmpty)
    }

    @Test func writesMikroTikBurstByPosition() {
        var plan = Self.plan
        plan.downloadBurstBitsPerSecond = 80_000_000
        plan.uploadBurstBitsPerSecond = 15_500_000
        #expect(Self.text(VendorRates.render(plan, for: .mikrotik, in: .accept)) == "10M/50M 15500k/80M")
        plan.burstSeconds = 12
        #expect(Self.text(VendorRates.render(plan, for: .mikrotik, in: .accept)) == "10M/50M 15500k/80M 10M/50M 12/12")
        plan.priority = 3
        #expect(Self.text(VendorRates.render(plan, for: .mikrotik, in: .accept)) == "10M/50M 15500k/80M 10M/50M 12/12 3")
        plan.burstSeconds = nil
        #expect(Self.text(VendorRates.render(plan, for: .mikrotik, in: .accept)) == "10M/50M 15500k/80M 10M/50M 1/1 3")
    }

    @Test func fillsMikroTikBurstWithZerosToReachPriority() {
        var plan = Self.plan
        plan.priority = 8
        #expect(Self.text(VendorRates.render(plan, for: .mikrotik, in: .accept)) == "10M/50M 0/0 0/0 0/0 8")
    }

    @Test func writesZeroForMikroTikDirectionWithoutBurstOrLimit() {
        var plan = Self.plan
        plan.downloadBurstBitsPerSecond = 60_000_001
        plan.uploadBurstBitsPerSecond = 10_000_000
        #expect(Self.text(VendorRates.render(plan, for: .mikrotik, in: .accept)) == "10M/50M 0/60000001")
        let oneSided = BandwidthRate(downloadBitsPerSecond: 512_000, uploadBitsPerSecond: 0)
        #expect(Self.text(VendorRates.render(oneSided, for: .mikrotik, in: .accept)) == "0/512k")
    }

    @Test func clampsAt32BitsWithAnAlarm() {
        let fast = BandwidthRate(downloadBitsPerSecond: 10_000_000_000, uploadBitsPerSecond: 4_294_967_295)
        let rendering = VendorRates.render(fast, for: .wispr, in: .accept)
        #expect(Self.hex(rendering.attributes) == "1a0c0000372a0706ffffffff1a0c0000372a0806ffffffff")
        #expect(rendering.alarms == [.clamped(.download, asked: 10_000_000_000, sent: 4_294_967_295)])
        #expect(!rendering.isFaithful)
    }

    @Test func roundsDownToKilobitsAndNeverToZero() {
        let odd = BandwidthRate(downloadBitsPerSecond: 1_999_999, uploadBitsPerSecond: 1)
        let rendering = VendorRates.render(odd, for: .asn, in: .accept)
        #expect(Self.hex(rendering.attributes) == "1a0c00005ce66506000000011a0c00005ce66406000007cf")
        #expect(
            rendering.alarms == [.rounded(.upload, asked: 1, sent: 1000), .rounded(.download, asked: 1_999_999, sent: 1_999_000)])
        #expect(rendering.isFaithful)
    }

    @Test func asksForPolicyNamesWhereOnlyNamesWork() {
        let rendering = VendorRates.render(Self.plan, for: .aruba, in: .accept)
        #expect(rendering.alarms == [.policyNameMissing(.upload), .policyNameMissing(.download)])
        var named = Self.plan
        named.downloadPolicy = "gold"
        named.uploadPolicy = "silver"
        #expect(VendorRates.render(named, for: .aruba, in: .accept).alarms == [.policyNamesDiffer])
    }

    @Test func keepsTheJuniperShaperWhenOnlyUploadHasAName() {
        var plan = Self.plan
        #expect(VendorRates.render(plan, for: .juniper, in: .accept).alarms == [.policyNameMissing(.upload)])
        plan.uploadPolicy = "in-10m"
        let rendering = VendorRates.render(plan, for: .juniper, in: .accept)
        #expect(rendering.alarms.isEmpty)
        let shaper = Array("T02 50000000".utf8)
        #expect(Array(rendering.attributes.suffix(shaper.count)) == shaper)
    }

    @Test func sendsAnOverlongPolicyNameWholeAndSaysSo() {
        var plan = Self.plan
        plan.downloadPolicy = "residential-50-megabit"
        plan.uploadPolicy = "res"
        let rendering = VendorRates.render(plan, for: .nokia, in: .accept)
        #expect(rendering.alarms == [.policyNameTooLong(.download, limit: 16, octets: 22)])
        #expect(String(decoding: rendering.attributes, as: UTF8.self).contains("residential-50-megabit"))
    }

    @Test func leavesOutAValueLongerThanAnAttribute() {
        var plan = Self.plan
        plan.downloadPolicy = String(repeating: "x", count: 248)
        plan.uploadPolicy = "up"
        let rendering = VendorRates.render(plan, for: .ciscoASR9000, in: .accept)
        #expect(Self.hex(rendering.attributes) == "1a0a00000009370475" + "70")
        #expect(rendering.alarms.contains(.cannotExpress(.download)))
    }

    @Test func sendsStarentBurstInOctets() {
        var plan = Self.plan
        plan.downloadBurstBitsPerSecond = 80_000_000
        plan.burstSeconds = 2
        let rendering = VendorRates.render(plan, for: .starent, in: .accept)
        // 80 Mbit/s for 2 s are 20,000,000 octets.
        #expect(Self.hex(rendering.attributes).hasSuffix("004b000804c4b400" + "1a0e00001fe4004c000801312d00"))
    }

    @Test func namesRoundTripInAnyCase() {
        for vendor in NASVendor.allCases {
            #expect(NASVendor(name: vendor.name) == vendor)
            #expect(NASVendor(name: vendor.name.uppercased()) == vendor)
        }
        #expect(NASVendor(name: "ciscoasr9000") == .ciscoASR9000)
        #expect(NASVendor(name: "nobody") == nil)
        #expect(Set(NASVendor.names).count == NASVendor.allCases.count)
    }

    @Test func marksWhatNobodyConfirmed() {
        let rendering = VendorRates.render(Self.plan, for: .zte, in: .accept)
        #expect(
            rendering.alarms == [
                .unitUnconfirmed(attribute: "ZTE-Rate-Ctrl-SCR-Up"), .unitUnconfirmed(attribute: "ZTE-Rate-Ctrl-SCR-Down"),
            ])
    }
}
