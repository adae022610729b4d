import Testing

@testable import RadiusCore

@Suite struct ShippedDictionariesTests {
    private let dictionary: RadiusDictionary

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    @Test func everyLineIsRead() throws {
        var census = DictionaryCensus()
        try census.add("dictionary", in: ShippedDictionaries.directory)
        #expect(dictionary.attributeCount == census.attributes)
        #expect(dictionary.valueCount == census.values)
        #expect(dictionary.vendorCount == census.vendors)
        #expect(dictionary.warnings == [])
        #expect(try census.files == DictionaryCensus.names(in: ShippedDictionaries.directory))
        #expect(census.attributes > 5_000)
    }

    @Test func everyFileSaysWhatItHolds() throws {
        for name in try DictionaryCensus.names(in: ShippedDictionaries.directory) {
            let lines = try DictionaryCensus.text("\(ShippedDictionaries.directory)/\(name)").split(separator: UInt8(ascii: "\n"))
            #expect(lines.first?.starts(with: "# ".utf8) == true, "\(name)")
            #expect(lines.filter { $0.contains(UInt8(ascii: "#")) }.count == 1, "\(name)")
        }
    }

    @Test func namesOfOneMikrotikNumberAreAliases() {
        #expect(dictionary.attribute(number: 25, vendor: 14988)?.name == "Mikrotik-DHCP-Option-ParamSTR2")
        #expect(dictionary.attribute(named: "Mikrotik-DHCP-Option-Param-STR2")?.path.numbers == [25])
        #expect(dictionary.attribute(number: 27, vendor: 14988)?.name == "Mikrotik-Wireless-VLANID-Type")
        let alias = dictionary.attribute(named: "Mikrotik-Wireless-VLANIDtype")
        #expect(alias?.path == AttributePath(base: 26, vendor: 14988, numbers: [27]))
        #expect(dictionary.attribute(number: 27, vendor: 14988).flatMap { dictionary.valueName(of: $0, 1) } == "802.1ad")
    }

    /// Numbers and types from the vendors' manuals, as the renderers of rates rely on them.
    @Test(
        arguments: [
            ("Mikrotik-Rate-Limit", 14988, [8], AttributeType.string), ("Ascend-Data-Rate", 529, [197], .integer),
            ("Ascend-Xmit-Rate", 529, [255], .integer), ("Ascend-Data-Filter", 529, [242], .ascendBinary),
            ("WISPr-Bandwidth-Max-Up", 14122, [7], .integer), ("WISPr-Bandwidth-Max-Down", 14122, [8], .integer),
            ("ChilliSpot-Bandwidth-Max-Up", 14559, [4], .integer), ("Cisco-AVPair", 9, [1], .string),
            ("Airespace-Data-Bandwidth-Average-Contract", 14179, [7], .integer), ("ERX-CoS-Shaping-Pmt-Type", 4874, [108], .string),
            ("Juniper-CoS-Traffic-Control-Profile", 2636, [38], .string), ("Huawei-Input-Average-Rate", 2011, [2], .integer),
            ("NetElastic-Output-Average-Rate", 54268, [5], .integer), ("H3C-Output-Peak-Rate", 25506, [4], .integer),
            ("ZTE-Rate-Ctrl-SCR-Down", 3902, [83], .integer), ("Alc-Subscriber-QoS-Override", 6527, [126], .string),
            ("Dynamic-QoS-Param", 2352, [196], .string), ("SN-QoS-Traffic-Policy", 8164, [177], .octets),
            ("Motorola-Canopy-DLBR", 161, [8], .integer), ("UBNT-Data-Rate-DL", 41112, [1], .integer64),
            ("HP-Bandwidth-Max-Egress", 11, [48], .integer), ("pfSense-Bandwidth-Max-Up", 13644, [1], .integer),
            ("RtBrick-QoS-Shaper", 50058, [63], .string), ("VasExperts-Policing-Profile", 43823, [1], .string),
            ("ASN-Kbps-Down", 23782, [100], .integer), ("RP-Upstream-Speed-Limit", 10055, [1], .integer),
            ("TPLink-Recv-limit", 11863, [1], .integer), ("ADSL-Agent-Circuit-Id", 3561, [1], .octets),
            ("MS-MPPE-Send-Key", 311, [16], .octets), ("WiMAX-MSK", 24757, [5], .octets), ("Calix-CMS-User-Group", 6321, [220], .string),
        ] as [(String, UInt32, [UInt32], AttributeType)])
    func placesVendorAttribute(name: String, vendor: UInt32, numbers: [UInt32], type: AttributeType) throws {
        let attribute = try #require(dictionary.attribute(named: name))
        #expect(attribute.path == AttributePath(base: 26, vendor: vendor, numbers: numbers))
        #expect(attribute.type == type)
        #expect(dictionary.vendor(vendor) != nil)
    }

    @Test func hasVendorFormats() {
        #expect(dictionary.vendor(429)?.format == VendorFormat(typeOctets: 4, lengthOctets: 0))
        for number: UInt32 in [4846, 637] {
            #expect(dictionary.vendor(number)?.format == VendorFormat(typeOctets: 2, lengthOctets: 1))
        }
        #expect(dictionary.vendor(8164)?.format == VendorFormat(typeOctets: 2, lengthOctets: 2))
        for number: UInt32 in [24757, 5323] {
            #expect(dictionary.vendor(number)?.format.hasContinuation == true)
        }
    }

    @Test func hidesWhatTheStandardsHide() throws {
        #expect(dictionary.attribute(named: "User-Password")?.encryption == .userPassword)
        let tunnelPassword = try #require(dictionary.attribute(named: "Tunnel-Password"))
        #expect(tunnelPassword.encryption == .tunnelPassword)
        #expect(tunnelPassword.isTagged)
        #expect(dictionary.attribute(named: "MS-MPPE-Recv-Key")?.encryption == .tunnelPassword)
        #expect(dictionary.attribute(named: "MS-CHAP-MPPE-Keys")?.fixedLength == 24)
        #expect(dictionary.attribute(named: "Ascend-Send-Secret")?.encryption == .ascendSecret)
    }

    @Test(
        arguments: [
            ("Service-Type", "Framed-User", 2), ("NAS-Port-Type", "Ethernet", 15), ("NAS-Port-Type", "Wireless-802.11", 19),
            ("NAS-Port-Type", "PPPoEoE", 32), ("Acct-Status-Type", "Interim-Update", 3), ("Acct-Terminate-Cause", "Lost-Carrier", 2),
            ("Tunnel-Type", "L2TP", 3), ("Tunnel-Type", "VLAN", 13), ("Tunnel-Medium-Type", "IEEE-802", 6),
            ("Error-Cause", "Session-Context-Not-Found", 503), ("Error-Cause", "Response-Too-Big", 601),
        ] as [(String, String, UInt64)])
    func namesStandardNumber(attribute: String, name: String, number: UInt64) throws {
        let definition = try #require(dictionary.attribute(named: attribute))
        #expect(dictionary.value(named: name, of: definition) == number)
    }

    @Test func coversEveryAssignedStandardNumber() {
        let unassigned: Set<UInt32> = [17, 21, 54, 93, 191]
        for number: UInt32 in 1...191 {
            #expect((dictionary.attribute(number: number) == nil) == unassigned.contains(number), "\(number)")
        }
        for number: UInt32 in 1...11 {
            #expect(dictionary.attribute(at: AttributePath(numbers: [241, number])) != nil, "241.\(number)")
        }
        for number: UInt32 in 1...4 {
            #expect(dictionary.attribute(at: AttributePath(numbers: [245, number])) != nil, "245.\(number)")
        }
    }
}
