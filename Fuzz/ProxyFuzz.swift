import Glibc

// Compiled into one module with the core of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzProxy` with bytes of its invention.
//
// The input is what follows the header of a home server's reply. As it is, nothing may believe it; signed as the home server would, it goes
// all the way to a reply for the NAS, which must parse, must hold no Proxy-State, and no more than what came.

private let homeSecret = SharedSecret(Array("home-server-secret".utf8))
private let nasSecret = SharedSecret(Array("nas-secret".utf8))
private let authenticator = Digest16 { UInt8($0 * 7 + 1) }
private let dictionary = loadDictionary()
private let filters = makeFilters()

private func loadDictionary() -> RadiusDictionary {
    guard let path = getenv("LASTMILE_FUZZ_DICTIONARY"), let loaded = try? RadiusDictionary.load(path: String(cString: path)) else {
        fatalError("LASTMILE_FUZZ_DICTIONARY must name a dictionary")
    }
    return loaded
}

private func makeFilters() -> [AttributeFilter] {
    var problems: [String] = []
    return [
        AttributeFilter(),
        AttributeFilter(allow: ["Session-Timeout", "vendor:MikroTik"], remove: ["Filter-Id"], dictionary: dictionary, problems: &problems),
        AttributeFilter(allow: [], remove: ["Vendor-Specific"], dictionary: dictionary, problems: &problems),
    ]
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxy(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard input.count > 1, input.count <= 4000 else { return 0 }
    let code: PacketCode = [.accessAccept, .accessReject, .accessChallenge][Int(input[0] & 3) % 3]
    let request = ForwardedRequest.statusServer(to: Hop(homeSecret, authenticator), identifier: 9)
    let server = HomeServer(
        id: 1, tenant: 1, name: "home", address: IPAddress(ipv4: 0x7f00_0001), secret: homeSecret, requiresMessageAuthenticator: false)
    let forged = packet(code, Array(input[1...]), isSigned: false)
    precondition(
        (try? HomeServerReply.verified(forged, answering: request, code: .accessRequest, from: server)) == nil, "a forgery is believed")
    let reply = packet(code, Array(input[1...]), isSigned: true)
    guard let octets = try? HomeServerReply.verified(reply, answering: request, code: .accessRequest, from: server) else { return 0 }
    for filter in filters { pass(octets, filter) }
    pass(on: octets)
    return 0
}

private func packet(_ code: PacketCode, _ attributes: [UInt8], isSigned: Bool) -> [UInt8] {
    let count = 20 + attributes.count
    var octets = [code.rawValue, 9, UInt8(count >> 8), UInt8(count & 255)] + (0..<16).map { authenticator[$0] } + attributes
    if isSigned {
        var span = octets.mutableSpan
        ResponseAuthenticator.sign(&span, requestAuthenticator: authenticator, secret: homeSecret)
    }
    return octets
}

/// To the NAS.
private func pass(_ octets: [UInt8], _ filter: AttributeFilter) {
    var salt: UInt16 = 0
    guard
        let attributes = try? ReturnedReply.attributes(
            of: octets.span, filter, dictionary, from: Hop(homeSecret, authenticator), to: Hop(nasSecret, authenticator), salt: &salt)
    else { return }
    precondition(attributes.count <= octets.count - 20, "more goes to the NAS than came")
    var cursor = AttributeCursor(0..<attributes.count)
    while let attribute = cursor.next(in: attributes.span) { precondition(attribute.type != 33 && attribute.type != 80) }
    precondition(!cursor.isMalformed, "what goes to the NAS does not parse")
}

/// The same octets as a NAS's request, on to a home server.
private func pass(on octets: [UInt8]) {
    let proxyState = ProxyState(mark: 1, number: 2)
    let passage = ForwardedRequest.Passage(userName: nil, filter: filters[0], dictionary: dictionary, proxyState: proxyState)
    guard
        let forwarded = try? ForwardedRequest.access(
            octets.span, secret: nasSecret, passage, to: Hop(homeSecret, authenticator), identifier: 7)
    else { return }
    precondition((try? PacketHeader.length(of: forwarded.octets.span)) == forwarded.octets.count)
    precondition(proxyState.isLast(in: forwarded.octets.span), "our Proxy-State is not the last")
}
