import Testing

@testable import RadiusCore

@Suite struct DictionaryGrammarTests {
    private let directory: DictionaryDirectory

    init() throws {
        directory = try DictionaryDirectory()
    }

    @Test(arguments: [
        ("string", AttributeType.string), ("octets", .octets), ("ipaddr", .ipv4Address), ("integer", .integer), ("uint32", .integer),
        ("byte", .byte), ("uint8", .byte), ("short", .short), ("uint16", .short), ("integer64", .integer64), ("uint64", .integer64),
        ("signed", .signed), ("int32", .signed), ("bool", .bool), ("date", .date), ("time_delta", .integer), ("ifid", .interfaceID),
        ("ipv6addr", .ipv6Address), ("ipv6prefix", .ipv6Prefix), ("ipv4prefix", .ipv4Prefix), ("combo-ip", .comboIP),
        ("ether", .ethernet), ("abinary", .ascendBinary), ("tlv", .tlv), ("String", .string),
    ])
    func readsType(word: String, type: AttributeType) throws {
        let dictionary = try directory.load("ATTRIBUTE Something 200 \(word)\n")
        #expect(dictionary.attribute(number: 200)?.type == type)
    }

    @Test func readsStructuralTypesInTheirPlaces() throws {
        let dictionary = try directory.load(
            """
            ATTRIBUTE Vendor-Specific 26 vsa
            ATTRIBUTE Extended-Attribute-1 241 extended
            ATTRIBUTE Extended-Attribute-5 245 long-extended
            ATTRIBUTE Extended-Vendor-Specific-1 241.26 evs
            ATTRIBUTE Map 241.5 tlv
            ATTRIBUTE Map-Type 241.5.1 integer
            """)
        #expect(dictionary.attribute(number: 26)?.type == .vsa)
        #expect(dictionary.attribute(number: 241)?.type == .extended)
        #expect(dictionary.attribute(number: 245)?.type == .longExtended)
        #expect(dictionary.attribute(at: AttributePath(numbers: [241, 26]))?.type == .evs)
        #expect(dictionary.attribute(at: AttributePath(numbers: [241, 5, 1]))?.name == "Map-Type")
        #expect(dictionary.attributeCount == 6)
    }

    @Test func readsFixedLength() throws {
        let attribute = try directory.load("ATTRIBUTE Key 200 octets[24]\n").attribute(named: "Key")
        #expect(attribute?.type == .octets)
        #expect(attribute?.fixedLength == 24)
    }

    @Test func readsFlags() throws {
        let dictionary = try directory.load(
            """
            ATTRIBUTE User-Password 2 string encrypt=1
            ATTRIBUTE Tunnel-Password 69 string has_tag,encrypt=2
            ATTRIBUTE Ascend-Send-Secret 214 string encrypt=3
            ATTRIBUTE EAP-Message 79 octets concat
            ATTRIBUTE Servers 201 ipaddr array
            ATTRIBUTE Hidden 202 string secret
            ATTRIBUTE Packet-Type 1047 integer virtual
            ATTRIBUTE Internal 1048 integer
            """)
        let password = dictionary.attribute(named: "Tunnel-Password")
        #expect(password?.isTagged == true)
        #expect(password?.encryption == .tunnelPassword)
        #expect(password?.isSecret == true)
        #expect(dictionary.attribute(named: "User-Password")?.encryption == .userPassword)
        #expect(dictionary.attribute(named: "User-Password")?.isTagged == false)
        #expect(dictionary.attribute(named: "Ascend-Send-Secret")?.encryption == .ascendSecret)
        #expect(dictionary.attribute(named: "EAP-Message")?.isConcatenated == true)
        #expect(dictionary.attribute(named: "EAP-Message")?.isSecret == false)
        #expect(dictionary.attribute(named: "Servers")?.isArray == true)
        #expect(dictionary.attribute(named: "Hidden")?.isSecret == true)
        #expect(dictionary.attribute(named: "Hidden")?.isVirtual == false)
        #expect(dictionary.attribute(named: "Packet-Type")?.isVirtual == true)
        #expect(dictionary.attribute(named: "Internal")?.isVirtual == true)
    }

    @Test func foldsKeywordsAndNames() throws {
        let dictionary = try directory.load("attribute User-Name 1 Integer\nValue user-NAME Nobody 0x0\nvendor Cisco 9\n")
        #expect(dictionary.attribute(named: "USER-NAME")?.name == "User-Name")
        #expect(dictionary.vendor(named: "cisco")?.number == 9)
        let attribute = try #require(dictionary.attribute(number: 1))
        #expect(dictionary.value(named: "nobody", of: attribute) == 0)
    }

    @Test func readsHexadecimalCommentsAndBlankLines() throws {
        let dictionary = try directory.load(
            "\n# nothing\n\t ATTRIBUTE\tA\t0xc8  integer# behind\r\nVALUE A Top 0xFFFFFFFF #\n   \nATTRIBUTE B 201 octets")
        let attribute = try #require(dictionary.attribute(number: 200))
        #expect(attribute.name == "A")
        #expect(dictionary.value(named: "Top", of: attribute) == 4_294_967_295)
        #expect(dictionary.attribute(number: 201)?.name == "B")
    }

    @Test func resolvesValueBeforeItsAttribute() throws {
        let dictionary = try directory.load("VALUE Later One 1\nATTRIBUTE Later 200 integer\nVALUE Later Uno 2\n")
        let attribute = try #require(dictionary.attribute(named: "Later"))
        #expect(dictionary.value(named: "One", of: attribute) == 1)
        #expect(dictionary.valueName(of: attribute, 1) == "One")
        #expect(dictionary.valueCount == 2)
    }

    @Test func sharesValuesByAlias() throws {
        let dictionary = try directory.load(
            "ATTRIBUTE A 200 integer\nATTRIBUTE B 201 integer\nVALUE A One 1\nVALUE-ALIAS B A\nVALUE A Two 2\n")
        let attribute = try #require(dictionary.attribute(named: "B"))
        #expect(dictionary.value(named: "One", of: attribute) == 1)
        #expect(dictionary.valueName(of: attribute, 2) == "Two")
        #expect(dictionary.values(of: attribute).map(\.number) == [1, 2])
    }

    @Test func readsVendorFormats() throws {
        let dictionary = try directory.load(
            """
            VENDOR Plain 9
            VENDOR USR 429 format=4,0
            VENDOR Lucent 4846 format=2,1
            VENDOR Starent 8164 format=2,2
            VENDOR WiMAX 24757 format=1,1,c
            """)
        #expect(dictionary.vendor(9)?.format == VendorFormat())
        #expect(dictionary.vendor(429)?.format == VendorFormat(typeOctets: 4, lengthOctets: 0))
        #expect(dictionary.vendor(4846)?.format == VendorFormat(typeOctets: 2, lengthOctets: 1))
        #expect(dictionary.vendor(8164)?.format == VendorFormat(typeOctets: 2, lengthOctets: 2))
        #expect(dictionary.vendor(24757)?.format == VendorFormat(typeOctets: 1, lengthOctets: 1, hasContinuation: true))
        #expect(dictionary.vendors.map(\.number) == [9, 429, 4846, 8164, 24757])
        #expect(dictionary.vendorCount == 5)
    }

    @Test func placesVendorAttributes() throws {
        let dictionary = try directory.load(
            """
            VENDOR Cisco 9
            VENDOR Big 429 format=4,0
            BEGIN-VENDOR Cisco
            ATTRIBUTE Cisco-AVPair 1 string
            END-VENDOR Cisco
            BEGIN-VENDOR Big
            ATTRIBUTE Big-One 0x9019 integer
            END-VENDOR Big
            ATTRIBUTE Old-Style 2 string Cisco
            ATTRIBUTE Older-Style 3 string secret vendor=cisco
            ATTRIBUTE User-Name 1 string
            """)
        #expect(dictionary.attribute(named: "Cisco-AVPair")?.path == AttributePath(base: 26, vendor: 9, numbers: [1]))
        #expect(dictionary.attribute(number: 0x9019, vendor: 429)?.name == "Big-One")
        #expect(dictionary.attribute(number: 2, vendor: 9)?.name == "Old-Style")
        #expect(dictionary.attribute(number: 3, vendor: 9)?.isSecret == true)
        #expect(dictionary.attribute(number: 1)?.name == "User-Name")
        #expect(dictionary.attribute(number: 2) == nil)
    }

    @Test(arguments: ["format", "parent"])
    func placesExtendedVendorAttributes(keyword: String) throws {
        let dictionary = try directory.load(
            """
            ATTRIBUTE Extended-Attribute-5 245 long-extended
            ATTRIBUTE Extended-Vendor-Specific-5 245.26 evs
            VENDOR FreeRADIUS 11344
            BEGIN-VENDOR FreeRADIUS \(keyword)=Extended-Vendor-Specific-5
            ATTRIBUTE Anonce 1 octets encrypt=2
            END-VENDOR FreeRADIUS
            """)
        #expect(dictionary.attribute(at: AttributePath(base: 245, vendor: 11344, numbers: [1]))?.name == "Anonce")
        #expect(dictionary.attribute(number: 1, vendor: 11344) == nil)
    }

    @Test func nestsTLVs() throws {
        let dictionary = try directory.load(
            """
            VENDOR WiMAX 24757 format=1,1,c
            BEGIN-VENDOR WiMAX
            ATTRIBUTE Capability 1 tlv
            BEGIN-TLV Capability
            ATTRIBUTE Release 1 string
            ATTRIBUTE Flow 2 tlv
            BEGIN-TLV Flow
            ATTRIBUTE Flow-Id 7 short
            END-TLV Flow
            ATTRIBUTE Hotlining 3 byte
            END-TLV Capability
            ATTRIBUTE Flow-Direction 1.2.8 byte
            END-VENDOR WiMAX
            """)
        #expect(dictionary.attribute(named: "Release")?.path == AttributePath(base: 26, vendor: 24757, numbers: [1, 1]))
        #expect(dictionary.attribute(named: "Flow-Id")?.path.numbers == [1, 2, 7])
        #expect(dictionary.attribute(named: "Hotlining")?.path.numbers == [1, 3])
        #expect(dictionary.attribute(at: AttributePath(base: 26, vendor: 24757, numbers: [1, 2, 8]))?.name == "Flow-Direction")
    }

    @Test func acceptsLongestLineAndMostWords() throws {
        let longest = "ATTRIBUTE Long 200 string" + String(repeating: " ", count: 230)
        #expect(longest.utf8.count == 255)
        #expect(try directory.load(longest + "# " + String(repeating: "x", count: 400)).attributeCount == 1)
    }

    @Test func countsAndNamesValuesOfAttributesThatNoLineDefines() throws {
        let dictionary = try directory.load("VALUE Nowhere One 1\nATTRIBUTE Somewhere 200 integer\nVALUE Somewhere One 1\n")
        #expect(dictionary.valueCount == 2 && dictionary.strayValueCount == 1)
        let reason = "VALUE One is for Nowhere, which no ATTRIBUTE line defines; it names nothing"
        #expect(dictionary.warnings == ["\(directory.file("dictionary")):1: \(reason)"])
    }

    @Test func namesTwentyStrayValuesAndCountsTheRest() throws {
        let dictionary = try directory.load((1...23).map { "VALUE Nowhere V\($0) \($0)\n" }.joined())
        #expect(dictionary.strayValueCount == 23 && dictionary.warnings.count == 21)
        #expect(dictionary.warnings.last == "and 3 more such lines")
    }
}
