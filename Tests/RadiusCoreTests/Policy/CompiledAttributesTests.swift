import Testing

@testable import RadiusCore

@Suite struct CompiledAttributesTests {
    private let dictionary: RadiusDictionary

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    private func compile(_ pairs: [(String, String)]) -> CompiledAttributes {
        var compiled = CompiledAttributes()
        for (name, value) in pairs { compiled.append(name, value, dictionary) }
        return compiled
    }

    @Test func encodesInTheGivenOrder() {
        let compiled = compile([("Reply-Message", "hi"), ("Framed-MTU", "1492"), ("Tunnel-Type:1", "VLAN")])
        // RFC 2865 §5.18, §5.12; RFC 2868 §3.1.
        #expect(compiled.encoded == [18, 4, 0x68, 0x69, 12, 6, 0, 0, 0x05, 0xd4, 64, 6, 1, 0, 0, 13])
        #expect(compiled.keyed.isEmpty && compiled.problems.isEmpty)
    }

    @Test(arguments: ["Tunnel-Password:1", "tunnel-password:2", "ERX-Med-Dev-Handle"])
    func whatIsHiddenForEachPacketStandsApart(name: String) {
        let value = name.hasPrefix("ERX") ? "0x00112233445566778899aabbccddeeff" : "s3cret"
        let compiled = compile([("Reply-Message", "hi"), (name, value)])
        #expect(compiled.encoded == [18, 4, 0x68, 0x69])
        #expect(compiled.keyed == [ReplyAttribute(name: name, value: value)])
        #expect(compiled.problems.isEmpty)
    }

    @Test func oneBadAttributeLeavesTheOthersStanding() {
        let compiled = compile([
            ("Reply-Message", "hi"), ("Framed-MTU", "wide"), ("No-Such-Thing", "1"), ("Reply-Message", ""),
            ("Tunnel-Password:99", "s3cret"), ("Framed-MTU", "1492"),
        ])
        #expect(compiled.encoded == [18, 4, 0x68, 0x69, 12, 6, 0, 0, 0x05, 0xd4])
        #expect(compiled.keyed.isEmpty)
        #expect(compiled.problems.count == 4)
        let names = ["Framed-MTU", "No-Such-Thing", "Reply-Message", "Tunnel-Password:99"]
        #expect(zip(compiled.problems, names).allSatisfy { $0.hasPrefix($1 + ": ") })
        #expect(!compiled.problems.contains { $0.contains("s3cret") })
    }

    @Test func aVendorGetsItsOwnAndTheCommonOnes() {
        let list = [
            ReplyAttribute(name: "Reply-Message", value: "a"), ReplyAttribute(name: "Reply-Message", value: "b", vendor: .mikrotik),
            ReplyAttribute(name: "Reply-Message", value: "c", vendor: .juniper),
        ]
        func texts(_ vendor: NASVendor?) -> [UInt8] {
            let encoded = CompiledAttributes(list, for: vendor, dictionary: dictionary).encoded
            return stride(from: 2, to: encoded.count, by: 3).map { encoded[$0] }
        }
        #expect(texts(.mikrotik) == Array("ab".utf8))
        #expect(texts(.juniper) == Array("ac".utf8))
        #expect(texts(.cisco) == Array("a".utf8))
        #expect(texts(nil) == Array("a".utf8))
    }
}
