import Support
import Testing

@testable import RadiusCore

/// Mutated packets: the decoder refuses them with a reason or explains them whole; what it explains can be encoded and says the same.
@Suite struct GarbageTests {
    private static let keys = RevealKeys(secret: SharedSecret(Array("testing123".utf8)), authenticator: Digest16(repeating: 0))
    private let hide = HideKeys(secret: keys.secret, authenticator: keys.authenticator)

    @Test func decodesEncodesAndDecodesWhatever() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let seeds = try PacketVector.readAll().map { Self.packet($0) }
        var generator = SeededGenerator(state: 2865)
        var decoded = 0
        for round in 0..<10_000 {
            let packet = Self.mutated(seeds[round % seeds.count], seeds, using: &generator)
            guard let pairs = try? AttributeDecoder.decode(packet.span, dictionary: dictionary, keys: round % 2 == 0 ? Self.keys : nil)
            else { continue }
            decoded += 1
            let again = try encodedAndDecoded(pairs, dictionary, isRevealed: round % 2 == 0)
            if again != pairs { Issue.record("round \(round): \(OctetText.hexadecimal(packet)) gave \(pairs), then \(again)") }
            checkLines(pairs)
        }
        #expect(decoded > 2_500)
    }

    private func encodedAndDecoded(
        _ pairs: [AttributePair], _ dictionary: RadiusDictionary, isRevealed: Bool
    ) throws -> [AttributePair] {
        let octets = try AttributeEncoder.encode(pairs, dictionary: dictionary, keys: isRevealed ? hide : nil)
        return try AttributeDecoder.decode(attributes: octets.span, dictionary: dictionary, keys: isRevealed ? Self.keys : nil)
    }

    /// What is printed is one line of safe text that reads back.
    private func checkLines(_ pairs: [AttributePair]) {
        for pair in pairs {
            let line = pair.description
            if line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { Issue.record("unsafe: \(line)") }
            guard let text = try? AttributeText(line: line) else {
                Issue.record("\(line) does not read back")
                continue
            }
            if text.name != pair.taggedName { Issue.record("\(line) reads back as \(text)") }
        }
    }

    /// A vector as a whole packet.
    private static func packet(_ vector: PacketVector) -> [UInt8] {
        switch vector.kind {
        case .packet, .malformed: vector.octets
        case .attributes, .decode, .encode: [1, 0, 0, 0] + [UInt8](repeating: 0, count: 16) + vector.octets
        }
    }

    private static func mutated(_ seed: [UInt8], _ seeds: [[UInt8]], using generator: inout SeededGenerator) -> [UInt8] {
        var octets = seed
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let position = Int.random(in: 0...octets.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where position < octets.count: octets[position] = UInt8.random(in: 0...255, using: &generator)
            case 1 where position < octets.count: octets[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2 where position < octets.count:
                octets[position] = [0, 1, 2, 3, 26, 79, 92, 245, 255].randomElement(using: &generator) ?? 0
            case 3: octets.insert(contentsOf: generator.octets(Int.random(in: 1...8, using: &generator)), at: position)
            case 4: octets.removeLast(Int.random(in: 0...min(8, octets.count), using: &generator))
            default: octets += (seeds.randomElement(using: &generator) ?? []).dropFirst(20)
            }
        }
        // Mostly an honest Length, so that the walk goes beyond the header.
        if octets.count >= 20, octets.count <= 4096, Int.random(in: 0..<10, using: &generator) > 0 {
            octets[2] = UInt8(octets.count >> 8)
            octets[3] = UInt8(octets.count & 0xff)
        }
        return octets
    }
}
