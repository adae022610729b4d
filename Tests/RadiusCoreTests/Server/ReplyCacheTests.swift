import Testing

@testable import RadiusCore

@Suite struct ReplyCacheTests {
    private func key(_ identifier: UInt8, port: UInt16 = 1000, authenticator: UInt64 = 1) -> ReplyCache.Key {
        ReplyCache.Key(
            address: IPAddress(ipv4: 1), port: port, identifier: identifier, code: 1, authenticatorHigh: authenticator,
            authenticatorLow: 2)
    }

    /// What `admit` says, with the cached octets.
    private enum Seen: Equatable {
        case fresh, inWork
        case answered([UInt8])
    }

    private func admit(_ cache: inout ReplyCache, _ key: ReplyCache.Key, at seconds: UInt32) -> (Seen, ReplyToken) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let lookup = buffer.withUnsafeMutableBufferPointer { memory -> ReplyCache.Lookup in
            guard let base = memory.baseAddress else { return .inWork }
            return cache.admit(key, nowSeconds: seconds, reply: base)
        }
        switch lookup {
        case .fresh(let token): return (.fresh, token)
        case .inWork: return (.inWork, .none)
        case .answered(let count): return (.answered(Array(buffer[..<count])), .none)
        }
    }

    @Test func aRequestIsFreshThenInWorkThenAnswered() {
        var cache = ReplyCache(memoryOctets: 1 << 20)
        let (first, token) = admit(&cache, key(1), at: 10)
        #expect(first == .fresh)
        #expect(admit(&cache, key(1), at: 11).0 == .inWork)
        cache.store(token, [2, 1, 0, 20], count: 4)
        #expect(admit(&cache, key(1), at: 12).0 == .answered([2, 1, 0, 20]))
    }

    @Test func anotherAuthenticatorPurgesTheOldEntry() {
        var cache = ReplyCache(memoryOctets: 1 << 20)
        let (_, old) = admit(&cache, key(1, authenticator: 1), at: 10)
        #expect(admit(&cache, key(1, authenticator: 2), at: 10).0 == .fresh)
        cache.store(old, [9], count: 1)
        #expect(admit(&cache, key(1, authenticator: 2), at: 10).0 == .inWork)
    }

    @Test func forgetsAfterThirtySeconds() {
        var cache = ReplyCache(memoryOctets: 1 << 20)
        let (_, token) = admit(&cache, key(1), at: 10)
        cache.store(token, [9], count: 1)
        #expect(admit(&cache, key(1), at: 40).0 == .answered([9]))
        #expect(admit(&cache, key(1), at: 41).0 == .fresh)
    }

    @Test func neverRefusesNewWorkAndDropsTheOldestFirst() {
        var cache = ReplyCache(memoryOctets: 64 << 10)
        for port in 0..<UInt16(20_000) {
            let (seen, token) = admit(&cache, key(1, port: port), at: 10 + UInt32(port) / 5000)
            #expect(seen == .fresh)
            cache.store(token, [1, 2, 3, 4, 5, 6, 7, 8], count: 8)
        }
        #expect(admit(&cache, key(1, port: 19_999), at: 14).0 == .answered([1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(admit(&cache, key(1, port: 0), at: 14).0 == .fresh)
    }

    @Test func aReplyWhoseOctetsWereOverwrittenIsNotSent() {
        var cache = ReplyCache(memoryOctets: 64 << 10)
        let (_, token) = admit(&cache, key(1), at: 10)
        cache.store(token, [UInt8](repeating: 7, count: 4000), count: 4000)
        for port in 0..<UInt16(20) {
            let (_, next) = admit(&cache, key(2, port: port), at: 10)
            cache.store(next, [UInt8](repeating: 8, count: 4000), count: 4000)
        }
        #expect(admit(&cache, key(1), at: 10).0 == .fresh)
    }
}
