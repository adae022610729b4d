import Database
import Testing

@testable import Admin

@Suite struct ValueTests {
    @Test func readsJSONAsItWasWritten() throws {
        let text = #"{"b":[1,-0.5e+3,true,null,"é😀\n\"\\\/"],"a":{}}"#
        let value = try JSONParser.parse(Array(text.utf8))
        #expect(value["b"]?[1] == .number("-0.5e+3"))
        #expect(value["b"]?[1]?.integer == -500)
        #expect(value["b"]?[4] == "é😀\n\"\\/")
        #expect(String(decoding: value.bytes, as: UTF8.self) == #"{"b":[1,-0.5e+3,true,null,"é😀\n\"\\/"],"a":{}}"#)
        #expect(try JSONParser.parse(value.bytes) == value)
    }

    @Test(arguments: [
        ("50000000", 50_000_000), ("50M", 50_000_000), ("1.5G", 1_500_000_000), ("512k", 512_000), ("0.5M", 500_000),
        ("10 Mbit/s", 10_000_000),
        ("2Gbps", 2_000_000_000), ("0", 0), ("1T", 1_000_000_000_000),
    ])
    func readsRates(text: String, bitsPerSecond: Int64) {
        #expect(BitRate.parse(text) == bitsPerSecond)
    }

    @Test(arguments: ["", "M", "-1", "1.M", ".5M", "1e6", "50MB", "1.0001k0", "99999999999999999999", "1.23456k", "٥M"])
    func refusesWhatIsNoRate(text: String) {
        #expect(BitRate.parse(text) == nil)
    }

    @Test(arguments: [
        ("2026-01-31", "2026-01-31T00:00:00Z"), ("2024-02-29T23:59:59.123456+05:30", "2024-02-29T23:59:59.123456+05:30"),
        ("2026-01-31t00:00:00z", "2026-01-31T00:00:00z"), ("90s", "2001-09-09T01:45:10Z"), ("2h", "2001-09-08T23:46:40Z"),
        ("1d", "2001-09-08T01:46:40Z"),
    ])
    func readsInstants(text: String, expected: String) throws {
        #expect(try Instant.normalized(text, now: 1_000_000_000) == expected)
    }

    @Test(arguments: [
        "", "now", "2026-02-29", "2026-13-01", "2026-1-1", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "0000-01-01", "99999999999d",
        "2026-01-01T00:00:00+1:00",
    ])
    func refusesWhatIsNoInstant(text: String) {
        #expect(throws: FieldFault.self) { try Instant.normalized(text) }
    }

    @Test func whatIsStoredIsNoAge() throws {
        let field = Field.timestamp("expires_at")
        let fault = #expect(throws: FieldFault.self) { try field.value(of: "2h") { _, _ in nil } }
        #expect(fault?.detail.contains("2h") == false)
        #expect(throws: FieldFault.self) { try field.value(ofText: "7d", isStored: true) { _, _ in nil } }
        #expect(try field.value(of: "2027-01-31") { _, _ in nil } == .bound(.text("2027-01-31T00:00:00Z")))
        #expect(throws: Never.self) { try field.value(ofText: "2h") { _, _ in nil } }
    }

    @Test(arguments: ["UTC", "Europe/Kyiv", "Etc/GMT+5"]) func takesZonesThatThereAre(name: String) {
        #expect(TextForm.timeZone.reason(name) == nil)
    }

    @Test(arguments: [
        "Foo/Bar", "Europe/Kiew", "UTC+5", "europe/kyiv", "Europe", "right/Europe/Kyiv", "localtime", "../UTC", "/etc/localtime",
    ])
    func refusesZonesThatThereAreNot(name: String) {
        #expect(TextForm.timeZone.reason(name)?.contains("tzdata") == true)
    }

    @Test func readsHardwareAddressesInAnyNotation() throws {
        let field = Field.hardwareAddress("mac")
        for text in ["AA-BB-CC-00-11-22", "aabb.cc00.1122", "aa:bb:cc:00:11:22", "AABBCC001122", "aa bb cc 00 11 22"] {
            #expect(try field.hardwareAddress(text) == "aa:bb:cc:00:11:22")
        }
        for text in ["aa:bb:cc:00:11", "aa:bb:cc:00:11:22:33", "gg:bb:cc:00:11:22", "", "aa:::::bb:cc:00:11:22"] {
            #expect(throws: FieldFault.self) { try field.hardwareAddress(text) }
        }
    }

    @Test func readsNetworks() throws {
        let field = Field.prefix("p", .any)
        #expect(try field.prefix("192.0.2.0/24", .any) == "192.0.2.0/24")
        #expect(try field.prefix("192.0.2.7", .any) == "192.0.2.7/32")
        #expect(try field.prefix("2001:DB8:0::/33", .ipv6) == "2001:db8::/33")
        #expect(try field.prefix("0.0.0.0/0", .ipv4) == "0.0.0.0/0")
        for text in [
            "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2", "2001:db8::1/64", "192.0.2.0/24/24", "",
            "192.0.2.0/+8",
        ] {
            #expect(throws: FieldFault.self) { try field.prefix(text, .any) }
        }
        #expect(throws: FieldFault.self) { try field.prefix("192.0.2.0/24", .ipv6) }
        #expect(try field.prefix("::ffff:192.0.2.7", .any) == "192.0.2.7/32")
        let mapped = #expect(throws: FieldFault.self) { try field.prefix("::ffff:192.0.2.0/120", .any) }
        #expect(mapped?.detail.contains("192.0.2.0, so write it") == true)
    }

    @Test func readsRecordsOfRFC4180() throws {
        var reader = CSVReader(Array("a,b\r\n\"x\"\"y\",\"1\n2\"\n\n,\nlast,cell".utf8))
        #expect(try reader.next() == .init(line: 1, cells: ["a", "b"]))
        #expect(try reader.next() == .init(line: 2, cells: ["x\"y", "1\n2"]))
        #expect(try reader.next() == .init(line: 5, cells: ["", ""]))
        #expect(try reader.next() == .init(line: 6, cells: ["last", "cell"]))
        #expect(try reader.next() == nil)
    }

    @Test func decodesPercentEncoding() {
        #expect(Percent.decode("a%2Fb%20%C3%A9+") == "a/b é+")
        #expect(Percent.decode("a+b", plusIsSpace: true) == "a b")
        for text in ["%", "%2", "%zz", "%ff", "%00", "%+1"] { #expect(Percent.decode(Substring(text)) == nil) }
        #expect(Percent.decode(Substring(Percent.encode("ä/?&=+ %"))) == "ä/?&=+ %")
    }
}
