import Glibc
import Support
import Testing

@testable import RadiusCore

/// Addresses and times against the C library's idea of them.
@Suite struct AddressTextTests {
    private func platformText(_ family: Int32, _ octets: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        guard inet_ntop(family, octets, &buffer, 64) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func platformOctets(_ text: String) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &octets) == 1 ? octets : nil
    }

    /// Random addresses of which about half the groups are zero.
    private func address(using generator: inout SeededGenerator) -> [UInt8] {
        (0..<8).flatMap { _ in Bool.random(using: &generator) ? [0, 0] : generator.octets(2) }
    }

    @Test func printsIPv6AsThePlatformDoes() {
        var generator = SeededGenerator(state: 5952)
        for _ in 0..<2000 {
            let octets = address(using: &generator)
            // The C library prints ::/96 in mixed notation; RFC 5952 §5 wants that for known prefixes only.
            if octets[..<12].allSatisfy({ $0 == 0 }) { continue }
            #expect(AddressText.text(ipv6: octets) == platformText(AF_INET6, octets))
            #expect(AddressText.ipv6(AddressText.text(ipv6: octets) ?? "") == octets)
        }
    }

    @Test func printsIPv4AsThePlatformDoes() {
        var generator = SeededGenerator(state: 791)
        for _ in 0..<500 {
            let octets = generator.octets(4)
            #expect(AddressText.text(ipv4: octets) == platformText(AF_INET, octets))
            #expect(AddressText.ipv4(AddressText.text(ipv4: octets) ?? "") == octets)
        }
    }

    @Test func takesOfMutatedIPv6TextWhatThePlatformTakes() {
        var generator = SeededGenerator(state: 4291)
        let letters = Array("0123456789abcF:::...g".utf8)
        var taken = 0
        for _ in 0..<20_000 {
            var text = Array((AddressText.text(ipv6: address(using: &generator)) ?? "").utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let position = Int.random(in: 0..<text.count, using: &generator)
                text[position] = letters.randomElement(using: &generator) ?? 0
            }
            let mutated = String(decoding: text, as: UTF8.self)
            let octets = AddressText.ipv6(mutated)
            #expect(octets == platformOctets(mutated), "\(mutated)")
            if octets != nil { taken += 1 }
        }
        #expect(taken > 5_000 && taken < 19_000)
    }

    @Test func findsHostBits() {
        #expect(AddressText.hasZeroHostBits([192, 0, 2, 128], length: 25))
        #expect(!AddressText.hasZeroHostBits([192, 0, 2, 128], length: 24))
        #expect(AddressText.hasZeroHostBits([255, 255, 255, 255], length: 32))
        #expect(AddressText.hasZeroHostBits([0, 0, 0, 0], length: 0))
        #expect(!AddressText.hasZeroHostBits([0, 0, 0, 1], length: 31))
    }

    @Test func printsTimesAsThePlatformDoes() {
        var generator = SeededGenerator(state: 3339)
        for round in 0..<3000 {
            let seconds = round < 1000 ? UInt32(round) * 4_294_967 : UInt32.random(in: 0...UInt32.max, using: &generator)
            var clock = time_t(seconds)
            var parts = tm()
            gmtime_r(&clock, &parts)
            var buffer = [CChar](repeating: 0, count: 32)
            strftime(&buffer, 32, "%Y-%m-%dT%H:%M:%SZ", &parts)
            let expected = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(DateText.text(seconds) == expected)
            #expect(DateText.seconds(expected) == seconds)
        }
    }
}
