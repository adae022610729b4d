import Testing

@testable import RadiusCore

@Suite struct TLSSessionCacheTests {
    private func identifier(_ number: Int) -> TLSSessionCache.Identifier? {
        let octets = (0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 4 * 8)) }
        return octets.withUnsafeBufferPointer { TLSSessionCache.Identifier($0) }
    }

    private func entry(_ octet: UInt8) -> TLSSessionCache.Entry { .init(octets: [octet], peer: nil, end: 10) }

    @Test func theOldestGoAndTheRestStays() throws {
        let cache = TLSSessionCache(limit: 100)
        for number in 0..<1000 {
            cache.put(try #require(identifier(number)), entry(UInt8(truncatingIfNeeded: number)))
            #expect(cache.count == min(100, number + 1))
        }
        for number in 0..<1000 {
            let octets = cache.entry(of: try #require(identifier(number)), now: 0)?.octets
            #expect(octets == (number < 900 ? nil : [UInt8(truncatingIfNeeded: number)]))
        }
    }

    @Test func removalsMakeRoomAndLeaveNothing() throws {
        let cache = TLSSessionCache(limit: 10)
        let kept = try #require(identifier(1_000_000))
        cache.put(kept, entry(7))
        for number in 0..<1000 {
            let name = try #require(identifier(number))
            cache.put(name, entry(1))
            cache.remove(name)
            #expect(cache.entry(of: name, now: 0) == nil)
        }
        #expect(cache.entry(of: kept, now: 0)?.octets == [7] && cache.count == 1)
    }

    @Test func theirTimeEnds() throws {
        let cache = TLSSessionCache(limit: 10)
        let name = try #require(identifier(1))
        cache.put(name, entry(1))
        #expect(cache.entry(of: name, now: 9)?.octets == [1] && cache.entry(of: name, now: 10) == nil && cache.count == 0)
    }

    @Test func encodingsLoseTheCertificateOnly() {
        let kept: [UInt8] = [0x02, 1, 5, 0xa4, 2, 0x04, 0]
        let long = [0xa3, 0x81, 0x80] + [UInt8](repeating: 0xa3, count: 128)
        #expect(
            SessionEncoding.withoutPeer([0x30, 0x81, UInt8(kept.count + long.count)] + kept[..<3] + long + kept[3...]) == [0x30, 7] + kept)
        #expect(SessionEncoding.withoutPeer([0x30, 7] + kept) == [0x30, 7] + kept)
        let large = [0x04, 0x82, 0x01, 0x00] + [UInt8](repeating: 1, count: 256)
        #expect(SessionEncoding.withoutPeer([0x30, 0x82, 0x01, 0x04] + large) == [0x30, 0x82, 0x01, 0x04] + large)
    }

    @Test(
        arguments: [
            [], [0x30], [0x31, 0], [0x30, 5, 1], [0x30, 2, 0x02, 9], [0x30, 0x85, 1, 1, 1, 1, 1], [0x30, 0x80, 0, 0], [0x30, 0, 0],
        ] as [[UInt8]])
    func refusesEncodings(octets: [UInt8]) {
        #expect(SessionEncoding.withoutPeer(octets) == nil)
    }

    @Test(arguments: [0, 31, 33])
    func identifiersHave32Octets(count: Int) {
        let octets = [UInt8](repeating: 1, count: count)
        #expect(octets.withUnsafeBufferPointer { TLSSessionCache.Identifier($0) } == nil)
    }
}
