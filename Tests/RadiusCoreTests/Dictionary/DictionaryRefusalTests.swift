import Testing

@testable import RadiusCore

/// One bad line each, in the number space that `prologue` lays out.
@Suite struct DictionaryRefusalTests {
    struct BadLine: Sendable, CustomTestStringConvertible {
        let text: String
        let reason: String
        var testDescription: String { text }

        init(_ text: String, _ reason: String) {
            self.text = text
            self.reason = reason
        }
    }

    static let prologue = """
        VENDOR Cisco 9
        VENDOR Wide 429 format=4,0
        ATTRIBUTE User-Name 1 string
        ATTRIBUTE Service-Type 6 integer
        VALUE Service-Type Login 1
        ATTRIBUTE Small 7 byte
        ATTRIBUTE Rd 173 tlv
        ATTRIBUTE Extended-Attribute-1 241 extended
        ATTRIBUTE Plain 8 integer

        """

    private let directory: DictionaryDirectory

    init() throws {
        directory = try DictionaryDirectory()
    }

    private func expectRefusal(_ bad: BadLine) throws {
        let error = try #require(try directory.refusal(of: Self.prologue + bad.text + "\n"))
        #expect(error.file == directory.file("dictionary"))
        #expect(error.line == 10)
        #expect(error.reason.contains(bad.reason), "\(error.reason)")
    }

    @Test(arguments: [
        BadLine("ATTRIBUTE", "takes a name, a number and a type"),
        BadLine("ATTRIBUTE A 200", "takes a name, a number and a type"),
        BadLine("ATTRIBUTE A 200 string secret Cisco more", "takes a name, a number and a type"),
        BadLine("ATTRIBUTE A! 200 string", "A! is no name"),
        BadLine("ATTRIBUTE attr-26.9.1 200 string", "kept for attributes without one"),
        BadLine("ATTRIBUTE \(String(repeating: "a", count: 128)) 200 string", "longer than 127 octets"),
        BadLine("ATTRIBUTE A 200 text", "text is no type"),
        BadLine("ATTRIBUTE A 200 octets[0]", "stands for 1 to 253 octets"),
        BadLine("ATTRIBUTE A 200 octets[254]", "stands for 1 to 253 octets"),
        BadLine("ATTRIBUTE A 200 octets[x]", "stands for 1 to 253 octets"),
        BadLine("ATTRIBUTE A x string", "x is no attribute number"),
        BadLine("ATTRIBUTE A -1 string", "-1 is no attribute number"),
        BadLine("ATTRIBUTE A 0x string", "0x is no attribute number"),
        BadLine("ATTRIBUTE A 4294967296 string", "no attribute number"),
        BadLine("ATTRIBUTE A 18446744073709551616 string", "no attribute number"),
        BadLine("ATTRIBUTE A 173. string", "no attribute number"),
        BadLine("ATTRIBUTE A 0 string", "0 is no attribute number"),
        BadLine("ATTRIBUTE A 173.256 string", "numbers go up to 255"),
        BadLine("ATTRIBUTE A 200.1 string", "which no ATTRIBUTE line above defines"),
        BadLine("ATTRIBUTE A 1.1 string", "stands inside User-Name, which is of type string"),
        BadLine("ATTRIBUTE A 173.1.1.1.1.1 string", "6 levels; at most 5"),
        BadLine("ATTRIBUTE User-Name 200 string", "User-Name stands for 1 already and cannot be 200 too"),
    ])
    func refusesBadAttribute(_ bad: BadLine) throws {
        try expectRefusal(bad)
    }

    @Test(arguments: [
        BadLine("ATTRIBUTE A 200 string nonsense", "nonsense is neither a flag nor a vendor"),
        BadLine("ATTRIBUTE A 200 string secret,", "is neither a flag nor a vendor"),
        BadLine("ATTRIBUTE A 200 string vendor=Nobody", "vendor=Nobody is neither a flag nor a vendor"),
        BadLine("ATTRIBUTE A 200 octets has_tag", "has_tag is for string and integer alone"),
        BadLine("ATTRIBUTE A 200 string concat", "concat is for octets alone"),
        BadLine("ATTRIBUTE A 200 octets concat Cisco", "concat is for standard attributes alone"),
        BadLine("ATTRIBUTE A 200 string virtual", "virtual is for numbers from 256"),
        BadLine("ATTRIBUTE A 200 string encrypt=4", "encrypt is 1 (User-Password)"),
        BadLine("ATTRIBUTE A 200 string encrypt=", "encrypt is 1 (User-Password)"),
        BadLine("ATTRIBUTE A 200 octets encrypt=1", "encrypt=1 on octets needs the length"),
        BadLine("ATTRIBUTE A 200 octets encrypt=3", "encrypt=3 is for string alone"),
        BadLine("ATTRIBUTE A 200 ipv6addr encrypt=2", "encrypt does not go with ipv6addr"),
        BadLine("ATTRIBUTE A 241.1 string secret", "encrypt=2 is the only flag"),
        BadLine("ATTRIBUTE A 241.1 string encrypt=1", "encrypt=2 is the only flag"),
        BadLine("ATTRIBUTE A 241.1 string has_tag", "encrypt=2 is the only flag"),
        BadLine("ATTRIBUTE A 200 vsa", "vsa is the type of attribute 26 alone"),
        BadLine("ATTRIBUTE A 200 extended", "extended is for the attributes 241 to 246 alone"),
        BadLine("ATTRIBUTE A 200 long-extended", "long-extended is for the attributes 241 to 246 alone"),
        BadLine("ATTRIBUTE A 241.25 evs", "evs is for number 26 inside 241 to 246 alone"),
        BadLine("ATTRIBUTE A 256 string Cisco", "vendor Cisco has numbers up to 255"),
        BadLine("ATTRIBUTE A 1 tlv Wide", "tlv needs a vendor of format=1,1, which Wide is not"),
    ])
    func refusesFlagThatDoesNotFit(_ bad: BadLine) throws {
        try expectRefusal(bad)
    }

    @Test(arguments: [
        BadLine("VALUE Service-Type Framed", "VALUE takes an attribute's name, a name and a number"),
        BadLine("VALUE Service-Type Framed two", "two is no number"),
        BadLine("VALUE Service-Type Framed 4294967296", "does not fit Service-Type of type integer; at most 4294967295"),
        BadLine("VALUE Small Big 256", "256 does not fit Small of type byte; at most 255"),
        BadLine("VALUE User-Name Bob 1", "User-Name is of type string, whose numbers take no names"),
        BadLine("VALUE Service-Type LOGIN 2", "LOGIN of Service-Type stands for 1 already and cannot be 2 too"),
        BadLine("VALUE Service-Type A\u{1}B 2", "without control characters"),
        BadLine("VALUE Nowhere One one", "one is no number"),
        BadLine("VALUE-ALIAS Plain", "VALUE-ALIAS takes two attributes' names"),
        BadLine("VALUE-ALIAS Plain Nowhere", "Nowhere is no attribute"),
        BadLine("VALUE-ALIAS Plain Small", "Plain and Small differ in type"),
        BadLine("VALUE-ALIAS Service-Type Plain", "Service-Type has values already"),
        BadLine("VALUE-ALIAS Plain Plain", "Plain has no values of its own"),
    ])
    func refusesBadValue(_ bad: BadLine) throws {
        try expectRefusal(bad)
    }

    @Test(arguments: [
        BadLine("NONSENSE A 1", "NONSENSE is no keyword of a dictionary"),
        BadLine("$INCLUDE", "$INCLUDE takes one file name"),
        BadLine("VENDOR Cisco", "VENDOR takes a name and a number"),
        BadLine("VENDOR Cisco 10", "vendor Cisco has number 9 already and cannot have 10 too"),
        BadLine("VENDOR Nobody 0", "0 is no vendor number"),
        BadLine("VENDOR Nobody 16777216", "16777216 is no vendor number; 1 to 16777215 are"),
        BadLine("VENDOR Nobody 7 format=3,1", "a format is format=t,l"),
        BadLine("VENDOR Nobody 7 format=1,3", "a format is format=t,l"),
        BadLine("VENDOR Nobody 7 format=2,1,c", "a format is format=t,l"),
        BadLine("VENDOR Nobody 7 format=1,1,d", "a format is format=t,l"),
        BadLine("VENDOR Nobody 7 1,1", "a format is format=t,l"),
        BadLine("BEGIN-VENDOR Nobody", "Nobody is no vendor"),
        BadLine("BEGIN-VENDOR Cisco format=User-Name", "User-Name is no attribute of type evs"),
        BadLine("BEGIN-VENDOR Cisco evs", "format= or parent= stands here"),
        BadLine("END-VENDOR Cisco", "END-VENDOR without BEGIN-VENDOR"),
        BadLine("BEGIN-TLV Nowhere", "Nowhere is no attribute"),
        BadLine("BEGIN-TLV User-Name", "User-Name is of type string, not tlv"),
        BadLine("END-TLV Rd", "END-TLV without BEGIN-TLV"),
        BadLine("ATTRIBUTE A 200 string" + String(repeating: " ", count: 234), "the line has 256 octets; at most 255 are read"),
        BadLine("VALUE 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "more than 16 words"),
    ])
    func refusesBadBlock(_ bad: BadLine) throws {
        try expectRefusal(bad)
    }

    @Test(arguments: [
        BadLine("BEGIN-VENDOR Cisco\nEND-VENDOR Wide", "END-VENDOR Wide closes BEGIN-VENDOR Cisco"),
        BadLine("BEGIN-VENDOR Cisco\nATTRIBUTE A 1 string Wide", "vendor Wide stands inside BEGIN-VENDOR Cisco"),
        BadLine("BEGIN-VENDOR Cisco\nBEGIN-TLV Rd", "Rd (173) does not belong in the block"),
        BadLine("BEGIN-TLV Rd\nEND-TLV User-Name", "END-TLV User-Name closes BEGIN-TLV Rd"),
        BadLine("BEGIN-TLV Rd\nBEGIN-TLV Rd", "Rd (173) does not belong in the block"),
        BadLine("BEGIN-TLV Rd\nATTRIBUTE A 256 string", "numbers go up to 255"),
    ])
    func refusesSecondLineOfABlock(_ bad: BadLine) throws {
        let error = try #require(try directory.refusal(of: Self.prologue + bad.text + "\n"))
        #expect(error.line == 11)
        #expect(error.reason.contains(bad.reason), "\(error.reason)")
    }

    @Test func refusesFifthTLVLevel() throws {
        let levels = (1...4).map { "ATTRIBUTE L\($0) 1 tlv\nBEGIN-TLV L\($0)\n" }.joined()
        let error = try #require(try directory.refusal(of: "ATTRIBUTE L0 200 tlv\nBEGIN-TLV L0\n" + levels))
        #expect(error.reason.contains("BEGIN-TLV stands in 4 others; that is the limit"))
        #expect(error.line == 10)
    }

    @Test func reportsEveryBadLine() throws {
        let error = try #require(try directory.refusal(of: "ATTRIBUTE A x string\nATTRIBUTE B 200 string\nNONSENSE\nVALUE B One\n"))
        #expect(error.line == 1)
        #expect(error.further.map(\.line) == [3, 4])
        #expect(error.description.split(separator: "\n").count == 3)
    }

    @Test func reportsTwentyBadLinesAtMost() throws {
        let error = try #require(try directory.refusal(of: String(repeating: "NONSENSE\n", count: 50)))
        #expect(error.further.count == 19)
        #expect(error.further.last?.line == 20)
        let late = try #require(try directory.refusal(of: String(repeating: "VALUE A One 1\n", count: 50) + "ATTRIBUTE A 200 string\n"))
        #expect(late.further.count == 19)
    }

    @Test func readsNoFurtherBehindAnUnknownVendor() throws {
        let error = try #require(try directory.refusal(of: "BEGIN-VENDOR Nobody\nATTRIBUTE A 1 nonsense\nEND-VENDOR Nobody\n"))
        #expect(error.line == 1)
        #expect(error.further.isEmpty)
    }

    @Test func survivesAnyOctets() throws {
        let alphabet = Array("ATTRIBUTE VALUE VENDOR BEGIN-TLV .,=0x19#\n\n\t\0é".utf8)
        var state: UInt64 = 1
        for _ in 0..<200 {
            var octets: [UInt8] = []
            for _ in 0..<300 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                octets.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            let text = String(decoding: octets, as: UTF8.self)
            let error = try directory.refusal(of: text)
            #expect(error == nil || error?.reason.isEmpty == false)
        }
    }
}
