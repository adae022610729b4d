import Testing

@testable import RadiusCore

/// What people may write, and what they are told about the rest.
@Suite struct AttributeTextTests {
    private let dictionary: RadiusDictionary

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    private func octets(_ name: String, _ value: String) throws -> String {
        OctetText.hexadecimal(try AttributeEncoder.encode(name: name, value: value, dictionary: dictionary))
    }

    private func failure(_ name: String, _ value: String) -> String? {
        do { _ = try AttributeEncoder.encode(name: name, value: value, dictionary: dictionary) } catch { return error.description }
        return nil
    }

    @Test(arguments: [
        ("user-name", "bob", "0x0105626f62"), ("Session-Timeout", "0x10", "0x1b0600000010"),
        ("Service-Type", "framed-user", "0x060600000002"), ("Class", "0x00ff", "0x190400ff"), ("Class", "\"a\\x00\"", "0x19046100"),
        ("Event-Timestamp", "2000-02-29T12:00:00Z", "0x370638bbb4c0"), ("Event-Timestamp", "951825600", "0x370638bbb4c0"),
        ("Framed-Interface-Id", "0:A0B:00:ff", "0x600a00000a0b000000ff"), ("Delegated-IPv6-Prefix", "2001:DB8::/32", "0x7b08002020010db8"),
        ("Framed-IPv6-Prefix", "2001:db8::1", "0x6114008020010db8000000000000000000000001"), ("Framed-IPv6-Prefix", "::/0", "0x61040000"),
        ("NAS-IPv6-Address", "::ffff:192.0.2.1", "0x5f1200000000000000000000ffffc0000201"),
        ("Tunnel-Type:1", "VLAN", "0x40060100000d"), ("Tunnel-Type", "13", "0x40060000000d"),
        ("Attr-26.9.1", "0x6162", "0x1a0a0000000901046162"),
        ("Attr-250", "0x", "0xfa02"), ("Tunnel-Private-Group-Id:2", "100", "0x510602313030"),
        ("Mikrotik-Rate-Limit", "10M/50M", "0x1a0f00003a8c080931304d2f35304d"),
    ])
    func encodes(_ name: String, _ value: String, _ expected: String) throws {
        #expect(try octets(name, value) == expected)
    }

    @Test(arguments: [
        ("Framed-IP-Address", ["192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1 ", "", "192.0.2.1/32", "::1", "+1.2.3.4"]),
        (
            "NAS-IPv6-Address",
            [
                "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", ":::", "1::2::3", "12345::", "::1%eth0", "1.2.3.4", "1:2:3:4:5:6:7::8",
                ":1:2:3:4:5:6:7",
            ]
        ),
        ("Framed-IPv6-Prefix", ["2001:db8::1/64", "::/129", "::/-1", "::/", "::/0/0", "192.0.2.0/24"]),
        ("PMIP6-Home-IPv4-HoA", ["192.0.2.1/24", "0.0.0.0/33"]),
        ("Session-Timeout", ["-1", "4294967296", "1.5", "0x", "0x1ffffffff", "1 ", "99999999999999999999"]),
        ("Tunnel-Type", ["16777216", "0xffffffff", "Frame-Relay"]), ("Class", ["0x0", "0xzz", "gold", "0x 00"]),
        (
            "Event-Timestamp",
            [
                "2001-02-29T00:00:00Z", "1969-12-31T23:59:59Z", "2106-02-07T06:28:16Z", "2000-01-01", "2000-13-01T00:00:00Z",
                "2000-01-01T24:00:00Z",
            ]
        ),
        ("Framed-Interface-Id", ["1:2:3", "1:2:3:4:5", "10000:0:0:0", "::"]),
        ("WiMAX-GMT-Timezone-offset", ["2147483648", "-2147483649", "--1", "-"]),
    ])
    func refuses(_ name: String, _ values: [String]) {
        for value in values {
            let message = failure(name, value) ?? "taken"
            #expect(message.hasPrefix("\(name): "), "\(value): \(message)")
            #expect(message.contains("write "), "\(value): \(message)")
        }
    }

    @Test func suggestsTheNameThatWasMeant() {
        #expect(failure("User-Nmae", "x") == "User-Nmae: no dictionary has this attribute; did you mean User-Name?")
        #expect(failure("framed_ip_address", "x")?.hasSuffix("did you mean Framed-IP-Address?") == true)
        #expect(failure("Quite-Another-Thing-Altogether", "x")?.contains("write Attr-26.VENDOR.NUMBER") == true)
        #expect(failure("Bob\u{1b}[31m", "x")?.hasPrefix("Bob\\x1b[31m: ") == true)
    }

    @Test(arguments: ["a\nb", "a\rb", "a\0b", "\u{7f}", "\t"])
    func refusesControlCharactersInStrings(_ value: String) {
        #expect(failure("Reply-Message", value)?.contains("control character \\x") == true)
    }

    @Test func takesControlCharactersAsEscapes() throws {
        #expect(try octets("Reply-Message", "a\\nb\\x00\\\\\\\"") == "0x1208610a62005c22")
    }

    @Test(arguments: ["\\", "a\\", "\\q", "\\x", "\\x1", "\\xgg"])
    func refusesBackslashesThatEscapeNothing(_ value: String) {
        #expect(failure("Reply-Message", value)?.contains("\\\\ for a backslash") == true)
    }

    @Test func saysHowLongAValueMayBe() throws {
        let limit253 = String(repeating: "x", count: 253)
        #expect(try octets("Reply-Message", limit253).count == 2 + 2 * 255)
        #expect(failure("Reply-Message", limit253 + "x") == "Reply-Message: the value has 254 octets; at most 253 fit")
        #expect(failure("Cisco-AVPair", String(repeating: "x", count: 248))?.hasSuffix("at most 247 fit") == true)
        #expect(failure("Frag-Status", "1") == nil)
        #expect(failure("Reply-Message", "")?.contains("RFC 2865 §5") == true)
    }

    @Test func watchesOverTags() {
        #expect(failure("Tunnel-Type:32", "VLAN")?.contains("0 to 31") == true)
        #expect(failure("Tunnel-Type:x", "VLAN")?.contains("0 to 31") == true)
        #expect(failure("User-Name:1", "bob")?.contains("carries no tag") == true)
    }

    @Test func neverRepeatsASecret() throws {
        let error = failure("ERX-Med-Ip-Address", "hunter2")
        #expect(error?.contains("hunter2") == false)
        #expect(failure("User-Password", "hunter2") == "User-Password: the value is hidden on the wire; give the shared secret")
    }

    @Test func keepsHiddenValuesForTheRequest() throws {
        #expect(AttributeEncoder.needsKeys(try #require(dictionary.attribute(named: "Tunnel-Password"))))
        #expect(!AttributeEncoder.needsKeys(try #require(dictionary.attribute(named: "User-Name"))))
    }

    @Test func readsLines() throws {
        #expect(
            try AttributeText(line: " User-Name = \"a \\\" b\" ") == AttributeText(name: "User-Name", value: "a \\\" b", isQuoted: true))
        #expect(try AttributeText(line: "Tunnel-Type:1:=VLAN") == AttributeText(name: "Tunnel-Type:1", value: "VLAN"))
        #expect(try AttributeText(line: "Cisco-AVPair += a=b") == AttributeText(name: "Cisco-AVPair", value: "a=b"))
        #expect(try AttributeText(line: "User-Name = \"\u{301}x\"").value == "\u{301}x")
    }

    @Test(arguments: ["", "User-Name", "= x", "User Name = x", "User-Name = \"x", "User-Name = \"", "User-Name = \"x\\\""])
    func refusesLinesThatAreNoPairs(_ line: String) {
        #expect(throws: AttributeTextError.self) { try AttributeText(line: line) }
    }
}
