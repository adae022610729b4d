import Testing

@testable import RadiusCore

@Suite struct TLSIdentityTests {
    @Test(arguments: ["gw1.example.net", "*.pop3.example.net", "192.0.2.1", "2001:db8::1", "psk:gw1", "gw.17", "4711"])
    func readsWhatItWrites(text: String) { #expect(TLSIdentity(text: text)?.description == text) }

    @Test(arguments: [
        "", "*", "a b", "gw..example.net", "*.*.net", "sha256:00", "gw1.example.net/24", "ümlaut.example.net", "300.1.1.1", "psk:",
    ])
    func refusesWhatIsNoName(text: String) { #expect(TLSIdentity(text: text) == nil) }

    @Test func readsFingerprintsWithColonsAndWithout() {
        let plain = String(repeating: "0f", count: 32)
        let colons = Array(repeating: "0F", count: 32).joined(separator: ":")
        #expect(TLSIdentity(text: "sha256:\(plain)") == .fingerprint(Array(repeating: 15, count: 32)))
        #expect(TLSIdentity(text: "SHA256:\(colons)") == TLSIdentity(text: "sha256:\(plain)"))
        let fullWidth = String(repeating: "\u{FF10}\u{FF46}", count: 32)
        #expect(TLSIdentity(text: "sha256:\(fullWidth)") == nil)
    }

    @Test func aListIsGoodOnlyAsAWhole() {
        #expect(TLSIdentity.list("gw1.example.net, 192.0.2.1  *.a.example")?.count == 3)
        #expect(TLSIdentity.list("") == [])
        #expect(TLSIdentity.list("gw1.example.net ???") == nil)
    }

    @Test func tellsWhichWordNamesNobody() {
        for text in ["gw1.example.net, 192.0.2.1  *.a.example", "psk:gw1,", "2001:db8::1"] { #expect(TLSIdentity.flaw(in: text) == nil) }
        #expect(TLSIdentity.flaw(in: "gw1.example.net, 300.1.1.1")?.hasPrefix("word 2, “300.1.1.1”, names nobody; possible are ") == true)
        #expect(TLSIdentity.flaw(in: " , ")?.hasPrefix("nobody is named; ") == true)
    }
}
