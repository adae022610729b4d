import Testing

@testable import RadiusCore

/// TEAP's keys and bindings against values that another program computed (`Tests/Vectors/teap.txt`).
@Suite struct EAPTEAPKeysTests {
    private static func text(_ vector: Vector, _ key: String) throws -> String { String(decoding: try vector.octets(key), as: UTF8.self) }

    private static func digest(_ name: String) throws -> KeyedDigests.Kind {
        try #require(["sha1": KeyedDigests.Kind.sha1, "sha256": .sha256, "sha384": .sha384][name])
    }

    private static func inner(_ name: Substring, _ vectors: [Vector]) throws -> EAPTEAPKeys.Inner {
        let vector = vectors.first { $0.kind == "teap-inner" && $0.name == name }
        switch name {
        case "tls":
            let (key, extended) = (try #require(vector).octets("msk"), try #require(vector).octets("emsk"))
            return .method(.tls, EAPKeys(receive: Array(key.prefix(32)), send: Array(key.suffix(32)), extended: extended))
        case "mschapv2":
            return .method(.msCHAPv2, EAPKeys(receive: try #require(vector).octets("receive"), send: try #require(vector).octets("send")))
        case "gtc": return .method(.gtc, nil)
        case "password": return .password
        default: return .nothing
        }
    }

    /// The keys at the end of a vector's methods.
    private static func keys(_ vector: Vector, _ vectors: [Vector]) throws -> EAPTEAPKeys {
        var keys = EAPTEAPKeys(
            seed: try vector.octets("seed"), digest: try digest(text(vector, "digest")), macDigest: try digest(text(vector, "mac")),
            schedule: try #require(EAPTEAPSchedule(rawValue: try text(vector, "schedule"))))
        for name in try text(vector, "methods").split(separator: " ") { keys.add(try inner(name, vectors)) }
        return keys
    }

    @Test func keysAndBindingsAreWhatAnotherProgramComputed() throws {
        let vectors = try VectorFile.read("teap.txt")
        let cases = vectors.filter { $0.kind == "teap" }
        #expect(cases.count == 27)
        for vector in cases {
            let keys = try Self.keys(vector, vectors)
            let binding = EAPTEAPBinding(keys: keys, nonce: try vector.octets("nonce"), outer: try vector.octets("outer"))
            #expect(try binding.request == vector.octets("request"), "\(vector.testDescription)")
            let usesEMSK = vector.fields["response-of-msk"] != nil
            #expect(try binding.judge(vector.octets("response")) == .bound(usesEMSK: usesEMSK), "\(vector.testDescription)")
            #expect(try keys.masterSessionKey(usesEMSK: usesEMSK) == vector.octets("key"), "\(vector.testDescription)")
            #expect(try keys.masterSessionKey(usesEMSK: false) == vector.octets("key-of-msk"), "\(vector.testDescription)")
            // A peer whose method has no EMSK, or whose policy knows none.
            guard let other = vector.fields["response-of-msk"] else { continue }
            #expect(binding.judge(other) == .bound(usesEMSK: false), "\(vector.testDescription)")
        }
    }

    @Test func everyOctetOfABindingCounts() throws {
        let vectors = try VectorFile.read("teap.txt")
        let vector = try #require(vectors.first { $0.fields["response-of-msk"] != nil })
        let keys = try Self.keys(vector, vectors)
        let binding = EAPTEAPBinding(keys: keys, nonce: try vector.octets("nonce"), outer: try vector.octets("outer"))
        let response = try vector.octets("response")
        for position in response.indices {
            var altered = response
            altered[position] ^= 1
            guard case .wrong(let error) = binding.judge(altered) else {
                Issue.record("octet \(position) may be anything")
                continue
            }
            switch position {
            case 5...39: #expect(error == .bindingInvalid)
            // The codes go over what is in front of them; that of the MSK is looked at first.
            case 40..<60: #expect(error == .bindingOfEMSKWrong)
            default: #expect(error == .bindingOfMSKWrong)
            }
        }
        #expect(binding.judge(Array(response.dropLast())) == .wrong(.bindingInvalid))
        #expect(try binding.judge(vector.octets("request")) == .wrong(.bindingInvalid))
        let elsewhere = EAPTEAPBinding(keys: keys, nonce: try vector.octets("nonce"), outer: [0, 1, 0, 1, 97])
        #expect(elsewhere.judge(response) == .wrong(.bindingOfMSKWrong))
    }

    @Test func aCodeOfEMSKAloneNeedsAnEMSK() throws {
        let vectors = try VectorFile.read("teap.txt")
        for vector in vectors.filter({ $0.kind == "teap" }) {
            let keys = try Self.keys(vector, vectors)
            let outer = try vector.octets("outer")
            let binding = EAPTEAPBinding(keys: keys, nonce: try vector.octets("nonce"), outer: outer)
            // Flags 1: the code of MSK is not there.
            var alone = try vector.octets("response")
            alone[7] = 0x11
            let macs = keys.macs(over: Array(alone[..<40]) + [UInt8](repeating: 0, count: 40) + [55] + outer)
            alone.replaceSubrange(40..<60, with: macs.ofEMSK ?? [UInt8](repeating: 7, count: 20))
            alone.replaceSubrange(60..<80, with: [UInt8](repeating: 9, count: 20))
            #expect(binding.judge(alone) == (keys.bindsEMSK ? .bound(usesEMSK: true) : .wrong(.bindingWithoutMSK)))
        }
    }
}
