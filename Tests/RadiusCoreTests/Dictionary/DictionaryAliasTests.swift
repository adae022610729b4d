import Testing

@testable import RadiusCore

/// What several lines for one name or one number mean.
@Suite struct DictionaryAliasTests {
    private let directory: DictionaryDirectory

    init() throws {
        directory = try DictionaryDirectory()
    }

    @Test func bothNamesFindTheNumberAndTheLastIsPrinted() throws {
        let dictionary = try directory.load("ATTRIBUTE Old 200 integer\nATTRIBUTE New 200 integer\n")
        #expect(dictionary.attribute(named: "Old")?.path == dictionary.attribute(named: "New")?.path)
        #expect(dictionary.attribute(named: "Old")?.name == "Old")
        #expect(dictionary.attribute(number: 200)?.name == "New")
        #expect(dictionary.attributeCount == 2)
    }

    @Test func namesOfOneNumberShareTheirValues() throws {
        let dictionary = try directory.load("ATTRIBUTE Old 200 integer\nVALUE Old One 1\nATTRIBUTE New 200 integer\nVALUE New Two 2\n")
        let (old, new) = try (#require(dictionary.attribute(named: "Old")), #require(dictionary.attribute(named: "New")))
        #expect(dictionary.value(named: "Two", of: old) == 2)
        #expect(dictionary.valueName(of: new, 1) == "One")
    }

    @Test func repeatedLineReplacesTypeAndFlags() throws {
        let dictionary = try directory.load("ATTRIBUTE A 200 octets\nATTRIBUTE B 200 octets\nATTRIBUTE A 200 string secret\n")
        #expect(dictionary.attribute(number: 200)?.name == "A")
        #expect(dictionary.attribute(number: 200)?.type == .string)
        #expect(dictionary.attribute(named: "A")?.isSecret == true)
        #expect(dictionary.attribute(named: "B")?.type == .octets)
        #expect(dictionary.attributes.map(\.name) == ["A", "B"])
        #expect(dictionary.attributeCount == 3)
    }

    @Test func lastNameOfAValueIsPrinted() throws {
        let dictionary = try directory.load("ATTRIBUTE A 200 integer\nVALUE A IP 1\nVALUE A IPv4 1\nVALUE A IP 1\n")
        let attribute = try #require(dictionary.attribute(named: "A"))
        #expect(dictionary.valueName(of: attribute, 1) == "IPv4")
        #expect(dictionary.value(named: "IP", of: attribute) == 1)
        #expect(dictionary.valueCount == 3)
    }

    @Test func valueBeforeItsAttributeDoesNotDisplaceAName() throws {
        let dictionary = try directory.load("VALUE A Early 1\nATTRIBUTE A 200 integer\nVALUE A Usual 1\n")
        let attribute = try #require(dictionary.attribute(named: "A"))
        #expect(dictionary.valueName(of: attribute, 1) == "Usual")
        #expect(dictionary.value(named: "Early", of: attribute) == 1)
    }

    @Test func laterVendorLineChangesNameAndFormat() throws {
        let dictionary = try directory.load("VENDOR Starent 8164 format=2,2\nVENDOR Starent 8164\nVENDOR ASR 8164\n")
        #expect(
            dictionary.vendor(8164) == VendorDefinition(name: "ASR", number: 8164, format: VendorFormat(typeOctets: 2, lengthOctets: 2)))
        #expect(dictionary.vendor(named: "Starent")?.number == 8164)
        #expect(try directory.load("VENDOR S 8164 format=2,2\nVENDOR S 8164 format=1,1\n").vendor(8164)?.format == VendorFormat())
    }

    @Test func secondFileAddsToTheFirst() throws {
        try directory.write("first", "ATTRIBUTE A 200 integer\n")
        try directory.write("second", "VALUE A One 1\nATTRIBUTE B 200 integer\n")
        let dictionary = try RadiusDictionary.load(paths: [directory.file("first"), directory.file("second")])
        #expect(dictionary.attribute(number: 200)?.name == "B")
        #expect(dictionary.attributeCount == 2)
    }
}
