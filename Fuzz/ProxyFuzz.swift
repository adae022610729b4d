import Glibc

// Compiled into one module with the core of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzProxy` with bytes of its invention.
//
// The input is what follows the header of a home server's reply. As it is, nothing may believe it; signed as the home server would, it goes
// all the way to a reply for the NAS, which must parse, must hold no Proxy-State, and no more than what came. It is also what follows the
// header of a packet of RADIUS/1.1, which as one of RADIUS/1.0, and back again, must parse, too.

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
    takeBack(Array(input[1...]))
    translate(Array(input[1...]))
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

/// From RADIUS/1.1 to 1.0 and back.
private func translate(_ attributes: [UInt8]) {
    var octets = [UInt8](repeating: 0, count: 20) + attributes
    for isHiding in [true, false] {
        var translation = AttributeTranslation(
            isHiding ? .hiding : .revealing, dictionary, secret: homeSecret, authenticator: authenticator)
        guard (try? translation.translate(octets.span)) != nil else {
            precondition(isHiding, "what was hidden does not parse")
            return
        }
        octets = [UInt8](repeating: 0, count: 20) + translation.octets
    }
    var cursor = AttributeCursor(20..<octets.count)
    while let attribute = cursor.next(in: octets.span) { precondition(attribute.type != 80) }
    precondition(!cursor.isMalformed, "what was revealed does not parse")
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

private let identifiers = OperatorNASIdentifiers(secrets: [[UInt8](repeating: 7, count: 32)])
private let plan = makePlan()

private func makePlan() -> ProxyPlan {
    let home = HomeServer(
        id: 1, tenant: 1, name: "home", address: IPAddress(ipv4: 0x7f00_0001), secret: homeSecret, requiresMessageAuthenticator: false)
    let pool = HomeServerPool(id: 1, tenant: 1, name: "home", kind: .failover, servers: [home])
    let realms = zip([Realm.Kind.suffix, .prefix, .other], filters).enumerated().compactMap { number, realm in
        Realm(
            id: Int64(number), tenant: 1, name: "\(number)", kind: realm.0, text: "r", accessPool: pool, strips: true,
            requestFilter: realm.1, replyFilter: realm.1)
    }
    return ProxyPlan(servers: [home], realms: realms)
}

/// The same attributes as a home server's CoA-Request, on to a NAS, and as the NAS's ACK to it.
private func takeBack(_ attributes: [UInt8]) {
    var signed = packet(.coaRequest, attributes, isSigned: false)
    var span = signed.mutableSpan
    RequestAuthenticator.sign(&span, secret: homeSecret)
    guard let request = try? DynamicAuthorizationServer(secret: homeSecret).verify(signed.span, now: 0),
        let home = plan.servers[1]
    else { return }
    let relayed = RelayedRequest(
        servers: [home], request: request, returnPath: .init(peer: home.address, port: 1, scope: 0, local: home.address, interface: 0),
        identifiers: identifiers)
    if case .search(let search) = relayed.route(in: 1, plan) {
        precondition(search.sessionID != nil || !search.userNames.isEmpty, "a search for everything")
    }
    let session = SessionIdentity(userName: "u@r", acctSessionID: "S")
    precondition(relayed.realm(of: session, tenant: 2, plan) == nil, "another tenant's session is reached")
    for realm in plan.realms {
        if let crossing = try? relayed.attributes(through: realm, dictionary, to: nasSecret) {
            precondition(crossing.count <= attributes.count, "more goes to the NAS than came")
            if let made = try? CoARequest(.coa, attributes: crossing) { precondition(made.attributes == crossing) }
        }
        precondition(relayed.answer(attributes, through: realm, dictionary).count <= attributes.count, "more comes back than was said")
    }
}
