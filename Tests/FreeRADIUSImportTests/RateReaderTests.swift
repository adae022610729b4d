import RadiusCore
import Testing

@testable import FreeRADIUSImport

@Suite struct RateReaderTests {
    private static let dictionary: RadiusDictionary? = {
        let checkout = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }
        return try? RadiusDictionary.load(path: checkout + "/dictionaries/dictionary")
    }()

    /// Upload and download of attributes as their vendors document them; upload is what the subscriber sends.
    @Test(
        arguments: [
            ("Mikrotik-Rate-Limit", "10M/50M", 10_000_000, 50_000_000),
            ("Mikrotik-Rate-Limit", "512k", 512_000, 512_000),
            ("Mikrotik-Rate-Limit", "1500000/0", 1_500_000, 0),
            ("WISPr-Bandwidth-Max-Up", "1000000", 1_000_000, nil), ("WISPr-Bandwidth-Max-Down", "2000000", nil, 2_000_000),
            ("Ascend-Data-Rate", "3000000", 3_000_000, nil), ("Ascend-Xmit-Rate", "4000000", nil, 4_000_000),
            ("Huawei-Input-Average-Rate", "5000000", 5_000_000, nil), ("Huawei-Output-Average-Rate", "6000000", nil, 6_000_000),
            ("H3C-Input-Average-Rate", "7", 7, nil), ("H3C-Output-Average-Rate", "8", nil, 8),
            ("pfSense-Bandwidth-Max-Up", "9000", 9000, nil), ("pfSense-Bandwidth-Max-Down", "9500", nil, 9500),
            ("ChilliSpot-Bandwidth-Max-Up", "256", 256_000, nil), ("ChilliSpot-Bandwidth-Max-Down", "1024", nil, 1_024_000),
            ("HP-Bandwidth-Max-Ingress", "100", 100_000, nil), ("HP-Bandwidth-Max-Egress", "200", nil, 200_000),
            ("ASN-Kbps-Up", "11", 11_000, nil), ("ASN-Kbps-Down", "12", nil, 12_000),
            ("Motorola-Canopy-ULBR", "13", 13_000, nil), ("Motorola-Canopy-DLBR", "14", nil, 14_000),
            ("Alc-Subscriber-QoS-Override", "i:q:1:pir=15", 15_000, nil), ("Alc-Subscriber-QoS-Override", "e:r:rate=16", nil, 16_000),
            ("ERX-CoS-Shaping-Pmt-Type", "T02 17m", nil, 17_000_000),
            (
                "Cisco-AVPair", "lcp:interface-config#1=rate-limit input 18000 9000 9000 conform-action transmit exceed-action drop",
                18_000, nil
            ),
            (
                "Cisco-AVPair", "lcp:interface-config#2=rate-limit output 19000 9000 9000 conform-action transmit exceed-action drop", nil,
                19_000
            ),
            ("Cisco-AVPair", "qos-policy-in=add-class(sub,(class-default),police(20000))", 20_000, nil),
            ("Cisco-AVPair", "ip:qos-policy-out=add-class(sub,(class-default),shape(21000))", nil, 21_000),
        ] as [(String, String, UInt64?, UInt64?)])
    func neverSwapsUploadAndDownload(name: String, value: String, upload: UInt64?, download: UInt64?) throws {
        let statement = try #require(RateReader.statement(name.lowercased(), value))
        #expect(statement.upload == upload)
        #expect(statement.download == download)
        #expect(statement.losses == [])
    }

    @Test func readsMikrotikBursts() throws {
        let full = try #require(MikrotikRateLimit.statement("10M/50M 20M/100M 10M/50M 8/8 5"))
        #expect(full.uploadBurst == 20_000_000)
        #expect(full.downloadBurst == 100_000_000)
        #expect(full.burstSeconds == 8)
        #expect(full.priority == 5)
        #expect(full.losses == [])
        let none = try #require(MikrotikRateLimit.statement("10M/50M 0/0 0/0 0/0 8"))
        #expect(none.uploadBurst == nil && none.downloadBurst == nil && none.burstSeconds == nil && none.priority == 8)
        let odd = try #require(MikrotikRateLimit.statement("2M/4M 4M/8M 1M/2M 10/20 8 500k/1M"))
        #expect(odd.burstSeconds == 20)
        #expect(odd.losses.count == 3)
    }

    @Test(arguments: [
        "", "x", "10M/", "/10M", "1/2/3", "-1/5", "10M/50M 1 2 3 9", "99999999999999999999", "10T/1", "1M/2M 3M/4M 1/1 1/1 8 0/0 7",
        "1.5M/2M",
    ])
    func refusesWhatIsNoRateLimit(text: String) {
        #expect(MikrotikRateLimit.statement(text) == nil)
    }

    @Test(arguments: [
        "subscriber:service=x", "lcp:interface-config=ip unnumbered", "lcp:interface-config#1=rate-limit access-group 7 1 2 3",
        "ip:sub-qos-policy-up=x",
    ])
    func leavesOtherCiscoPairsAlone(text: String) {
        #expect(CiscoShaping.statement(text) == nil)
    }

    @Test func namesOfPoliciesKeepTheirDirection() throws {
        let pairs = [
            ("cisco-avpair", "ip:sub-qos-policy-in=up", "ip:sub-qos-policy-out=down", "cisco-avpair"),
            ("erx-ingress-policy-name", "up", "down", "erx-egress-policy-name"), ("alc-subsc-prof-str", "up", "down", "alc-sla-prof-str"),
        ]
        for (upName, up, down, downName) in pairs {
            #expect(try #require(RateReader.statement(upName, up)).uploadPolicy == "up")
            #expect(try #require(RateReader.statement(downName, down)).downloadPolicy == "down")
        }
    }

    /// What the daemon itself would answer is read back as the same rate, for each make whose attributes are read.
    @Test(arguments: [NASVendor.mikrotik, .generic, .ascend, .huawei, .h3c, .pfsense, .chillispot, .hp, .asn, .cisco, .nokia, .juniper])
    func readsWhatIsRendered(vendor: NASVendor) throws {
        let dictionary = try #require(Self.dictionary)
        var generator = SplitMix(state: UInt64(vendor.rawValue))
        for _ in 0..<50 {
            let rate = BandwidthRate(
                downloadBitsPerSecond: UInt64.random(in: 1...4000, using: &generator) * 8000 * 8,
                uploadBitsPerSecond: UInt64.random(in: 1...4000, using: &generator) * 8000 * 8)
            let rendered = VendorRates.render(rate, for: vendor, in: .accept)
            let pairs = try AttributeDecoder.decode(attributes: rendered.attributes.span, dictionary: dictionary)
            let items = pairs.map { Evaluation.Item(pair: SourcePair($0.name, .equal, $0.value, at: Place("t", 1)), origin: "") }
            let maker = PlanMaker(items, subject: "x") { _, _ in nil }
            #expect(maker.plan.rate.downloadBitsPerSecond == rate.downloadBitsPerSecond, "\(pairs)")
            #expect(maker.plan.rate.uploadBitsPerSecond == (vendor == .juniper ? 0 : rate.uploadBitsPerSecond), "\(pairs)")
            #expect(maker.remarks == [])
        }
    }

    @Test func ratesThatContradictEachOtherAreRemarked() {
        let items = [("WISPr-Bandwidth-Max-Up", "1000000"), ("Mikrotik-Rate-Limit", "2M/3M"), ("WISPr-Bandwidth-Max-Down", "3000000")].map {
            Evaluation.Item(pair: SourcePair($0.0, .equal, $0.1, at: Place("radreply", 1)), origin: "")
        }
        let maker = PlanMaker(items, subject: "alice") { _, _ in nil }
        #expect(maker.plan.rate == BandwidthRate(downloadBitsPerSecond: 3_000_000, uploadBitsPerSecond: 2_000_000))
        #expect(maker.remarks.map(\.what) == ["WISPr-Bandwidth-Max-Up = 1000000"])
        #expect(maker.remarks.map(\.level) == [.lost])
    }
}
