import Testing

@testable import RadiusCore

/// What cards compute, and the keys that EAP makes of it, against published values.
@Suite struct MilenageTests {
    @Test func computesWhatThePublishedTestSetsSay() throws {
        let vectors = try VectorFile.read("sim.txt").filter { $0.kind == "milenage" }
        #expect(vectors.count == 3)
        for vector in vectors {
            let (key, random) = (try vector.octets("key"), try vector.octets("random"))
            #expect(try Milenage.operatorConstant(key: key, operatorValue: vector.octets("op")) == vector.octets("opc"))
            let milenage = Milenage(key: key, operatorConstant: try vector.octets("opc"))
            let codes = try milenage.codes(random: random, sequence: vector.octets("sequence"), field: vector.octets("field"))
            #expect(codes.network == vector.fields["f1"] && codes.card == vector.fields["f1-star"], "\(vector.testDescription)")
            let outputs = milenage.vector(random: random)
            #expect(outputs.response == vector.fields["f2"] && outputs.cipherKey == vector.fields["f3"])
            #expect(outputs.integrityKey == vector.fields["f4"] && outputs.anonymityKey == vector.fields["f5"])
            #expect(milenage.resynchronizationKey(random: random) == vector.fields["f5-star"])
        }
    }

    @Test func aTripletIsFoldedFromTheVector() throws {
        let vector = try #require(VectorFile.read("sim.txt").first { $0.kind == "milenage" })
        let milenage = Milenage(key: try vector.octets("key"), operatorConstant: try vector.octets("opc"))
        let triplet = milenage.triplet(random: try vector.octets("random"))
        // 3GPP TS 55.205 §4: a54211d5 ^ e3ba50bf, and the four halves of CK and IK.
        #expect(triplet.response == [0x46, 0xf8, 0x41, 0x6a])
        #expect(triplet.cipherKey == [0xea, 0xe4, 0xbe, 0x82, 0x3a, 0xf9, 0xa0, 0x8b])
    }

    @Test func makesTheKeysOfEAPSIM() throws {
        let vector = try #require(VectorFile.read("sim.txt").first { $0.kind == "sim-keys" })
        let joined = try vector.octets("cipher-keys")
        let keys = SIMKeys(
            identity: try vector.octets("identity"), cipherKeys: stride(from: 0, to: 24, by: 8).map { Array(joined[$0..<$0 + 8]) },
            nonce: try vector.octets("nonce"), versions: [0, 1], selected: [0, 1])
        #expect(keys.authenticationKey == vector.fields["authentication-key"])
        #expect(keys.masterSessionKey == vector.fields["master-session-key"])
        #expect(keys.keys.receive + keys.keys.send == keys.masterSessionKey)
    }

    @Test func makesTheKeysOfEAPAKAPrime() throws {
        let vectors = try VectorFile.read("sim.txt").filter { $0.kind == "aka-prime-keys" }
        #expect(vectors.count == 2)
        for vector in vectors {
            let bound = try SIMKeys.bind(
                cipherKey: vector.octets("cipher-key"), integrityKey: vector.octets("integrity-key"), network: vector.octets("network"),
                hiddenSequence: vector.octets("hidden-sequence"))
            #expect(bound.cipherKey == vector.fields["bound-cipher-key"] && bound.integrityKey == vector.fields["bound-integrity-key"])
            let keys = SIMKeys(
                identity: try vector.octets("identity"), boundIntegrityKey: bound.integrityKey, boundCipherKey: bound.cipherKey)
            #expect(keys.authenticationKey == vector.fields["authentication-key"])
            #expect(keys.masterSessionKey == vector.fields["master-session-key"])
        }
    }

    @Test func readsACredentialAndSaysWhatIsWrongWithOne() throws {
        let vector = try #require(VectorFile.read("sim.txt").first { $0.kind == "milenage" })
        let (key, constant) = ("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf")
        let plain = try SIMCredential(text: "\(key):\(constant.uppercased())")
        #expect(plain.key == vector.fields["key"] && plain.operatorConstant == vector.fields["opc"] && plain.field == [0, 0])
        #expect(try SIMCredential(text: "\(key):op=cdc202d5123e20f62b6d676ac72cb318") == plain)
        #expect(try SIMCredential(text: "\(key):\(constant):b9B9").field == [0xb9, 0xb9])
        #expect(SIMCredential(octets: plain.octets) == plain && SIMCredential(octets: Array(plain.octets.dropLast())) == nil)
        let wrong: [(String, SIMCredential.Fault)] = [
            ("", .parts), (key, .parts), ("\(key):\(constant):0000:1", .parts), ("\(key.dropLast()):\(constant)", .key),
            ("\(key.dropLast())g:\(constant)", .key), ("\(key):\(constant)00", .operatorConstant), ("\(key):op=", .operatorConstant),
            ("\(key):\(constant):", .field), ("\(key):\(constant):12345", .field), ("é\(key.dropLast(2)):\(constant)", .key),
        ]
        for (text, fault) in wrong {
            #expect(throws: fault, "\(text)") { try SIMCredential(text: text) }
        }
    }
}
