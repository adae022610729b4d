// Compiled into one module with the core of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzDTLS` with bytes of its invention.
//
// Behind the first byte stands a datagram, as anybody may send one to the port of DTLS. What is read of a ClientHello must be what stands
// there; the answer must be smaller than the datagram and repeat its record number; no cookie may be good but the one that was given, to
// whom it was given.

private let cookies = DTLSCookies()
private let peer = makePeer(port: 4711)
private let other = makePeer(port: 4712)

private func makePeer(port: UInt16) -> DTLSPeer {
    DTLSPeer(address: IPAddress(ipv4: 0xc000_0207), local: IPAddress(high: 0, low: 0), port: port, scope: 0, localInterface: 0)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDTLS(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let choice = input.first else { return 0 }
    let datagram = Array(input[1...])
    let begins = DTLSClientHello.begins(datagram.span)
    let isProtected = DTLSClientHello.isProtected(datagram.span)
    precondition(!begins || !isProtected, "a record under keys passes for one in clear")
    guard begins, let hello = DTLSClientHello(datagram.span) else { return 0 }
    let record = 13 + number(datagram[11..<13])
    // Behind version, random, session identifier.
    let place = 60 + Int(datagram[59])
    precondition(record <= datagram.count && place < record, "it goes beyond its record")
    precondition((0..<32).allSatisfy { hello.random[$0] == datagram[27 + $0] }, "another random")
    precondition(hello.cookie == Array(datagram[(place + 1)...].prefix(Int(datagram[place]))), "another cookie")
    let part = DTLSClientHello(datagram.span.extracting(0..<(record - 1 - Int(choice) % record)))
    precondition(part == nil, "a part is taken for the whole")
    answer(datagram, hello, place)
    return 0
}

private func answer(_ datagram: [UInt8], _ hello: DTLSClientHello, _ place: Int) {
    precondition(!cookies.accepts(hello, from: peer, nowSeconds: 600), "a cookie that nobody gave is good")
    let cookie = cookies.cookie(for: peer, hello, nowSeconds: 600)
    let request = hello.verifyRequest(cookie: cookie)
    precondition(request.count < datagram.count, "the answer is larger than the question")
    precondition(request[5..<11] == datagram[5..<11], "another record number")
    precondition(13 + number(request[11..<13]) == request.count && request.suffix(cookie.count) == cookie[...], "the answer is malformed")
    guard let second = DTLSClientHello(repeated(datagram, place, with: cookie).span) else { fatalError("the cookie's bearer is not read") }
    precondition(second.random == hello.random && second.cookie == cookie, "the cookie's bearer is another")
    precondition(cookies.accepts(second, from: peer, nowSeconds: 660), "the cookie is not good")
    precondition(!cookies.accepts(second, from: other, nowSeconds: 660), "it is good for another")
    precondition(!cookies.accepts(second, from: peer, nowSeconds: 720), "it is good for ever")
}

/// The datagram with another cookie, and lengths that fit.
private func repeated(_ datagram: [UInt8], _ place: Int, with cookie: [UInt8]) -> [UInt8] {
    let old = Int(datagram[place])
    var octets = datagram
    octets.replaceSubrange(place...(place + old), with: [UInt8(cookie.count)] + cookie)
    for (range, width) in [(11..<13, 2), (22..<25, 3)] {
        let length = number(datagram[range]) + cookie.count - old
        for position in 0..<width {
            octets[range.lowerBound + position] = UInt8(truncatingIfNeeded: length >> (8 * (width - 1 - position)))
        }
    }
    return octets
}

private func number(_ octets: ArraySlice<UInt8>) -> Int { octets.reduce(0) { $0 << 8 | Int($1) } }
