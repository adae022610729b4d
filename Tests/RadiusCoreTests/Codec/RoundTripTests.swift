import Glibc
import Support
import Testing

@testable import RadiusCore

/// Octets → text → octets for every attribute that a dictionary names.
@Suite struct RoundTripTests {
    private static let secret = SharedSecret(Array("xyzzy5461".utf8))
    private let reveal = RevealKeys(secret: Self.secret, authenticator: Digest16(repeating: 3))
    private let hide = HideKeys(secret: Self.secret, authenticator: Digest16(repeating: 3), nextSalt: { 0x8123 })

    @Test func everyShippedAttributeComesBack() throws {
        let checked = try check(try ShippedDictionaries.loaded.get(), [.smallest, .largest, .random])
        #expect(checked > 4_500)
    }

    @Test(.enabled(if: access("/usr/share/freeradius/dictionary", R_OK) == 0, "needs the package freeradius-common"))
    func everyAttributeOfFreeRADIUSComesBack() throws {
        let checked = try check(try RadiusDictionary.load(path: "/usr/share/freeradius/dictionary"), [.random])
        #expect(checked > 6_000)
    }

    private func check(_ dictionary: RadiusDictionary, _ picks: [ValuePick]) throws -> Int {
        var generator = SeededGenerator(state: 42)
        var checked = 0
        for definition in dictionary.attributes where dictionary.attribute(at: definition.path) == definition {
            if definition.isVirtual || definition.type.isContainer { continue }
            for pick in picks {
                let octets = pick.octets(of: definition, in: AttributeLayout(dictionary: dictionary), using: &generator)
                let tag = definition.isTagged ? UInt8.random(in: 1...31, using: &generator) : nil
                try comesBack(octets, tag, definition, dictionary)
            }
            checked += 1
        }
        return checked
    }

    private func comesBack(_ octets: [UInt8], _ tag: UInt8?, _ definition: AttributeDefinition, _ dictionary: RadiusDictionary) throws {
        let wire = try AttributeEncoder.encode(definition, octets: octets, tag: tag, dictionary: dictionary, keys: hide)
        let pairs = try AttributeDecoder.decode(attributes: wire.span, dictionary: dictionary, keys: reveal)
        guard pairs.count == 1, pairs[0].path == definition.path, pairs[0].raw == octets, pairs[0].tag == tag, !pairs[0].isHidden else {
            Issue.record("\(definition.name) of \(octets) came back as \(pairs)")
            return
        }
        let line = try AttributeText(line: pairs[0].description)
        let again = try AttributeEncoder.encode([line], dictionary: dictionary, keys: hide)
        if again != wire { Issue.record("\(pairs[0]) made \(again), not \(wire)") }
    }
}

/// A choice among the values that an attribute may have.
enum ValuePick {
    case smallest, largest, random

    /// Octets of a value that the attribute's type allows, in the form that the encoder gives.
    func octets(of definition: AttributeDefinition, in layout: AttributeLayout, using generator: inout SeededGenerator) -> [UInt8] {
        switch definition.type {
        case .ipv4Prefix: return [0, 24, 198, 51, 100, 0]
        case .ipv6Prefix: return prefix(using: &generator)
        case .bool: return [self == .smallest ? 0 : 1]
        case .comboIP: return generator.octets(self == .smallest ? 4 : 16)
        default: break
        }
        if let count = definition.fixedLength ?? definition.type.fixedOctets {
            var octets = fixed(count, using: &generator)
            if definition.isTagged { octets[0] = 0 }
            return octets
        }
        let largest = definition.encryption == .ascendSecret ? 16 : definition.encryption == .none ? room(for: definition, layout) : 100
        let count = self == .smallest ? 1 : self == .largest ? largest : Int.random(in: 1...largest, using: &generator)
        var octets = fixed(count, using: &generator)
        // A padded value cannot end in zeros, and NUL parts the rules of NAS-Filter-Rule.
        if definition.encryption != .none || definition.path == AttributeLayout.filterRule { octets = octets.map { $0 | 1 } }
        return octets
    }

    private func fixed(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
        switch self {
        case .smallest: [UInt8](repeating: 0, count: count)
        case .largest: [UInt8](repeating: 0xff, count: count)
        case .random: generator.octets(count)
        }
    }

    private func prefix(using generator: inout SeededGenerator) -> [UInt8] {
        switch self {
        case .smallest: return [0, 0]
        case .largest: return [0, 128] + [UInt8](repeating: 0xff, count: 16)
        case .random:
            let octets = Int.random(in: 1...16, using: &generator)
            return [0, UInt8(octets * 8)] + generator.octets(octets)
        }
    }

    /// The longest value, but for the tag.
    private func room(for definition: AttributeDefinition, _ layout: AttributeLayout) -> Int {
        if definition.isConcatenated { return 1000 }
        return layout.largestValue(at: definition.path) - (definition.isTagged ? 1 : 0)
    }
}
