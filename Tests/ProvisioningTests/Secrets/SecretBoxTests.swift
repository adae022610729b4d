import Provisioning
import Testing

@Suite struct SecretBoxTests {
    private let keys: KeyDirectory
    private let box: SecretBox

    init() throws {
        keys = try KeyDirectory()
        box = try keys.box()
    }

    @Test(arguments: [0, 1, 15, 16, 17, 253, 4096]) func opensWhatItSealed(count: Int) throws {
        let clear = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let sealed = try box.seal(clear)
        // Version, key number, nonce and tag.
        #expect(sealed.count == count + 1 + 4 + 12 + 16)
        #expect(try box.open(sealed) == clear)
        #expect(box.isCurrent(sealed))
    }

    @Test func theSameSecretIsNeverSealedAlike() throws {
        let sealed = try (0..<100).map { _ in try box.seal(Array("secret".utf8)) }
        #expect(Set(sealed).count == 100)
        #expect(Set(sealed.map { Array($0[5..<17]) }).count == 100)
    }

    @Test func anyChangedOctetIsNoticed() throws {
        let clear = Array("correct horse battery staple".utf8)
        let sealed = try box.seal(clear)
        for position in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[position] ^= 1 << UInt8(bit)
                let error = #expect(throws: SecretError.self, "octet \(position), bit \(bit)") { try box.open(changed) }
                #expect(error?.description.contains("correct horse") == false)
            }
        }
    }

    @Test func anyMissingOrAddedOctetIsNoticed() throws {
        let sealed = try box.seal(Array("secret".utf8))
        for count in 0..<sealed.count {
            #expect(throws: SecretError.self) { try box.open(Array(sealed[..<count])) }
        }
        #expect(throws: SecretError.self) { try box.open(sealed + [0]) }
    }

    @Test func anotherKeyFileIsNamedAsTheCause() throws {
        let sealed = try box.seal(Array("secret".utf8))
        let stranger = try KeyDirectory()
        let error = #expect(throws: SecretError.self) { try stranger.box().open(sealed) }
        #expect(error?.description == "a secret does not open with key 1; the key file or the database was replaced")
        var future = sealed
        future[4] = 9
        let missing = #expect(throws: SecretError.self) { try box.open(future) }
        #expect(missing?.description.contains("sealed with key 9, which the key file lacks") == true)
    }

    @Test func aRotationSealsAnewAndOpensTheOld() throws {
        let clear = Array("secret".utf8)
        let old = try box.seal(clear)
        #expect(try KeyFile.rotate(path: keys.path) == 2)
        let rotated = try keys.box()
        #expect(try rotated.open(old) == clear)
        #expect(!rotated.isCurrent(old))
        let new = try rotated.seal(clear)
        #expect(Array(new[..<5]) == [1, 0, 0, 0, 2])
        #expect(rotated.isCurrent(new) && !box.isCurrent(new))
        #expect(throws: SecretError.self) { try box.open(new) }
        #expect(try KeyFile.rotate(path: keys.path) == 3)
        #expect(try keys.box().open(old) == clear)
        #expect(try keys.box().open(new) == clear)
    }
}
