import CLinux
import Support
import Testing

@testable import RadiusCore

/// What is read before anything is kept, what is answered to it, and how datagrams are cut.
@Suite struct DTLSClientHelloTests {
    /// A ClientHello of DTLS 1.2 as RFC 6347 §4.2.2 and §4.3.2 draw it, with record number 5 and this cookie.
    private static func hello(cookie: [UInt8] = [], random: UInt8 = 9) -> [UInt8] {
        let body = [0xfe, 0xfd] + [UInt8](repeating: random, count: 32) + [0, UInt8(cookie.count)] + cookie + [0, 2, 0xc0, 0x2b, 1, 0]
        let length: [UInt8] = [0, 0, UInt8(body.count)]
        let message = [1] + length + [0, 0, 0, 0, 0] + length + body
        return [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 5, 0, UInt8(message.count)] + message
    }

    private static func read(_ octets: [UInt8]) -> DTLSClientHello? { DTLSClientHello(octets.span) }
    private static func begins(_ octets: [UInt8]) -> Bool { DTLSClientHello.begins(octets.span) }
    private static func isProtected(_ octets: [UInt8]) -> Bool { DTLSClientHello.isProtected(octets.span) }

    private static func peer(_ address: UInt32, _ port: UInt16) -> DTLSPeer {
        var datagram = lm_datagram()
        datagram.peer.port = port
        let octets = IPAddress(ipv4: address).octets
        withUnsafeMutableBytes(of: &datagram.peer.octets) { $0.copyBytes(from: octets) }
        return DTLSPeer(&datagram)
    }

    @Test func readsRandomAndCookie() throws {
        let hello = try #require(Self.read(Self.hello(cookie: [1, 2, 3])))
        #expect(hello.cookie == [1, 2, 3] && hello.random == SIMD32(repeating: 9))
    }

    @Test func takesNothingThatEndsBeforeItsCookie() {
        let whole = Self.hello(cookie: [1, 2, 3])
        for count in 0..<whole.count { #expect(Self.read(Array(whole.prefix(count))) == nil, "\(count)") }
        // A fragment that is not the first, and one that ends within the cookie.
        var later = whole
        later[21] = 1
        #expect(Self.read(later) == nil)
        var short = whole
        (short[12], short[24]) = (12 + 37, 37)
        #expect(Self.read(Array(short.prefix(13 + 12 + 37))) == nil)
    }

    @Test func tellsAClientHelloFromOtherRecords() {
        var octets = Self.hello()
        #expect(Self.begins(octets) && !Self.isProtected(octets))
        octets[4] = 1
        #expect(!Self.begins(octets) && Self.isProtected(octets))
        #expect(!Self.begins([]) && !Self.isProtected([22, 0xfe]))
    }

    /// RFC 6347 §4.2.1: version 1.0, message 0, the record's number as it came.
    @Test func asksForTheCookie() throws {
        let hello = try #require(Self.read(Self.hello()))
        let request = hello.verifyRequest(cookie: [7, 8])
        #expect(
            request == [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 5, 0, 17, 3, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5, 0xfe, 0xff, 2, 7, 8])
    }

    @Test func aCookieIsGoodForAMinuteAndForNobodyElse() throws {
        let cookies = DTLSCookies()
        let peer = Self.peer(0xc000_0207, 4711)
        let first = try #require(Self.read(Self.hello()))
        let cookie = cookies.cookie(for: peer, first, nowSeconds: 600)
        let second = try #require(Self.read(Self.hello(cookie: cookie)))
        let isGood = { (cookies: DTLSCookies, peer: DTLSPeer, now: UInt32) in cookies.accepts(second, from: peer, nowSeconds: now) }
        #expect(isGood(cookies, peer, 600) && isGood(cookies, peer, 719) && !isGood(cookies, peer, 720) && !isGood(cookies, peer, 599))
        #expect(!isGood(cookies, Self.peer(0xc000_0207, 4712), 600) && !isGood(cookies, Self.peer(0xc000_0208, 4711), 600))
        #expect(!isGood(DTLSCookies(), peer, 600))
        let other = try #require(Self.read(Self.hello(cookie: cookie, random: 8)))
        #expect(!cookies.accepts(other, from: peer, nowSeconds: 600) && !cookies.accepts(first, from: peer, nowSeconds: 600))
    }

    @Test func aDatagramHoldsWholeRecordsOnly() {
        let record = { (count: Int) in
            [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, UInt8(count >> 8), UInt8(count & 0xff)] + [UInt8](repeating: 0, count: count)
        }
        let octets = record(500) + record(600) + record(700) + [22, 0xfe]
        let cut = { (octets: [UInt8], limit: Int) in octets.withUnsafeBufferPointer { TLSConversation.wholeRecords($0, limit: limit) } }
        #expect(cut(octets, 1352) == 1126 && cut(octets, 1125) == 513 && cut(octets, 10) == 513)
        #expect(cut(Array(octets.dropFirst(1126)), 1352) == 713 && cut(Array(octets.dropFirst(1839)), 1352) == 0)
    }
}
