import Testing

@testable import RadiusCore

@Suite struct HardwareAddressStationTests {
    @Test(arguments: [
        "00:53:00:12:34:ab", "00-53-00-12-34-AB", "0053.0012.34ab", "0053-0012-34ab", "005300-1234ab", "0053001234AB", "0:53:0:12:34:ab",
        "00 53 00 12 34 ab", "1:0:53:0:12:34:ab", "01:00:53:00:12:34:ab", "010053001234ab", " 00:53:00:12:34:ab\r\n", "0053.0012.34ab\0",
        "\0S\0\u{12}4\u{2b}",
    ])
    func readsEverySpelling(text: String) {
        let expected: UInt64 = text.hasPrefix("\0") ? 0x0053_0012_342b : 0x0053_0012_34ab
        #expect(HardwareAddress(station: text)?.value == expected)
    }

    @Test(arguments: [
        "", "alice", "+15550100", "00:53:00:12:34", "00:53:00:12:34:567", "2:00:53:00:12:34:56", "005300123456789",
        "0053001234567", "020053001234ab", "00:53:00:12:34:56:guest", "00:00:00:00:00:00", "\0\0\0\0\0\0", "::::::", "100200",
        "00:53:00:12:34:",
        "0053.0012.34ab.0053", "00:53:00:12:34:ag", "eth 0/1/3:100", "00:530:0:12:34:ab",
    ])
    func readsNothingElse(text: String) {
        #expect(HardwareAddress(station: text) == nil)
    }

    /// What is written in any form is read as it was.
    @Test func whatIsWrittenIsRead() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let value = UInt64.random(in: 1..<1 << 48, using: &random)
            let digits = (0..<12).map { String(value >> UInt64(44 - 4 * $0) & 15, radix: 16, uppercase: Bool.random()) }
            let group = [2, 4, 6, 12].randomElement() ?? 2
            let sign = [":", "-", ".", " "].randomElement() ?? ":"
            let groups = stride(from: 0, to: 12, by: group).map { digits[$0..<$0 + group].joined() }
            #expect(HardwareAddress(station: groups.joined(separator: sign))?.value == value)
        }
    }

    /// Whatever octets come: no trap, and an address that was read reads the same from its own text.
    @Test func hostileOctetsAreAddressesOrNothing() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("0123456789abcdefAB:-. \0\u{1}g".utf8)
        for _ in 0..<20_000 {
            let octets = (0..<Int.random(in: 0...20, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            guard let text = SubscriberBindings.text(callingStation: octets) else { continue }
            #expect(SubscriberBindings.text(callingStation: Array(text.utf8)) == text)
        }
    }
}
