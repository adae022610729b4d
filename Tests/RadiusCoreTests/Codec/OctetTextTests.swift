import RadiusCore
import Testing

struct OctetTextTests {
    /// RFC 4648 §10.
    @Test(arguments: [
        ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666F"), ("foo", "Zm9v", "666F6F"), ("foob", "Zm9vYg==", "666F6F62"),
        ("fooba", "Zm9vYmE=", "666F6F6261"), ("foobar", "Zm9vYmFy", "666F6F626172"),
    ])
    func writesAndReadsTheVectorsOfTheStandard(clear: String, base64: String, digits: String) {
        let octets = Array(clear.utf8)
        #expect(Base64.standard.text(of: octets) == base64 && Base64.standard.octets(of: base64) == octets)
        let bare = String(base64.prefix { $0 != "=" })
        #expect(Base64.url.text(of: octets) == bare && Base64.url.octets(of: bare) == octets)
        #expect(Hexadecimal.text(octets, uppercase: true) == digits && Hexadecimal.text(octets) == digits.lowercased())
        #expect(Hexadecimal.octets(digits.utf8) == octets && Hexadecimal.octets(digits.lowercased().utf8) == octets)
    }

    @Test func theAlphabetsDifferInTheirLastTwoDigits() {
        #expect(Base64.standard.text(of: [0xfb, 0xff]) == "+/8=")
        #expect(Base64.url.text(of: [0xfb, 0xff]) == "-_8")
        #expect(Base64.standard.octets(of: "-_8=") == nil && Base64.url.octets(of: "+/8") == nil)
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zg===", "Z", "Zm9v\n", "=Zg=", "Zm=v", "Zm9v=", "Zm9v====", "Zm9vé"])
    func takesNoOtherBase64(text: String) {
        #expect(Base64.standard.octets(of: text) == nil)
    }

    @Test(arguments: ["Zg==", "Zh", "Z", "Zm9v=", "Zm 9v"])
    func takesNoOtherBase64OfTheWeb(text: String) {
        #expect(Base64.url.octets(of: text) == nil)
    }

    @Test(arguments: ["0", "0g", "0x00", " 00", "٠٠", "0é"])
    func takesNoOtherHexadecimal(text: String) {
        #expect(Hexadecimal.octets(text.utf8) == nil)
    }

    /// Every length up to a few groups, so that each place of a group is the last one.
    @Test func readsWhatItWrites() {
        for count in 0..<40 {
            for _ in 0..<20 {
                let octets = (0..<count).map { _ in UInt8.random(in: .min ... .max) }
                #expect(Base64.standard.octets(of: Base64.standard.text(of: octets)) == octets)
                #expect(Base64.url.octets(of: Base64.url.text(of: octets)) == octets)
                #expect(Hexadecimal.octets(Hexadecimal.text(octets).utf8) == octets)
            }
        }
    }
}
