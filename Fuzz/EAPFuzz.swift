import Glibc

// Compiled into one module with the decoder of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzEAP` with bytes of its invention.
//
// The first octet chooses what is stored and which methods are allowed. Then come steps: an octet that says how, an octet of length, and
// so many octets of a peer's packet.

private let password = Array("wonderland".utf8)
private let card = EAPAccount.Card(
    SIMCredential(octets: [UInt8](repeating: 7, count: SIMCredential.count)) ?? fatalCredential(), subscriber: 1)
private let sequences = SIMSequences(node: [1])
private let state = EAPState(node: Array("fuzz".utf8), secret: [UInt8](repeating: 9, count: 32))

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEAP(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    // Nobody guesses a keyed digest.
    if case .conversation = state.read(input, client: 1, tenant: 2) { preconditionFailure("a State was forged") }
    readPacket(input)
    guard let first = input.first else { return 0 }
    converse(input[1...], surroundings(first), knowsPassword: first & 0x80 != 0)
    return 0
}

/// What reads as a packet stays within its octets.
private func readPacket(_ octets: [UInt8]) {
    guard let packet = try? EAPPacket(octets.span) else { return }
    precondition(packet.data.count <= octets.count && (packet.type == nil) == (packet.code == .success || packet.code == .failure))
    precondition(EAPNak.desired(packet).count <= packet.data.count)
    readAttributes(packet.data)
}

private func fatalCredential() -> SIMCredential { preconditionFailure("34 octets are a credential") }

/// So does what reads as attributes of a SIM card's method.
private func readAttributes(_ data: [UInt8]) {
    guard let attributes = try? SIMAttributes(data) else { return }
    precondition(attributes.codeOffset.map { $0 + SIMKeys.codeCount <= data.count } ?? true)
    for kind in SIMAttributes.Kind.allCases { precondition((attributes.counted(kind)?.count ?? 0) <= data.count) }
    precondition((attributes.response?.count ?? 0) + (attributes.checkcode?.count ?? 0) <= data.count)
}

private func surroundings(_ choice: UInt8) -> EAPSurroundings {
    let credentials: [EAPAccount.Credential] = [
        .clearText(password), .ntHash(MSCHAP.ntHash(ofUTF8: password.span) ?? Digest16(repeating: 0)), .hash([0x24]), .none,
    ]
    let account = choice & 4 == 0 ? EAPAccount(credentials[Int(choice & 3)], card: card, refusal: choice & 8 == 0 ? nil : .locked) : nil
    let served = EAPType.served.filter { !$0.isOverTLS }
    let methods = Array(served.dropFirst(min(Int(choice >> 4 & 7), served.count - 1)))
    var drawn: UInt8 = 0
    return EAPSurroundings(
        methods: methods, notifiesRefused: choice & 8 != 0, octetLimit: 8192, account: { _ in account },
        random: {
            drawn &+= 1
            return Digest16(repeating: drawn)
        }, card: EAPCardSurroundings(sequences: sequences, network: Array("WLAN".utf8), now: 17_000_000_000))
}

private func converse(_ steps: ArraySlice<UInt8>, _ surroundings: EAPSurroundings, knowsPassword: Bool) {
    var rest = steps
    var session = EAPSession(identifier: 1)
    var reply = session.start().packet
    var isHonest = false
    while rest.count >= 2, !session.hasEnded {
        let (how, length) = (rest.removeFirst(), Int(rest.removeFirst()))
        var message = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
        if how & 1 != 0, message.count >= 4 {
            (message[1], message[2], message[3]) = (reply[1], UInt8(message.count >> 8), UInt8(message.count & 255))
        }
        if how & 2 != 0, knowsPassword {
            isHonest = true
            message = answer(reply)
        }
        let action = session.receive(message, surroundings)
        // The same packet again gets the same answer.
        if case .again = action {} else { precondition(message.isEmpty || session.receive(message, surroundings) == action) }
        check(action, session, isHonest: isHonest)
        reply = action.packet
    }
}

private func check(_ action: EAPSession.Action, _ session: EAPSession, isHonest: Bool) {
    let packet = action.packet
    guard let read = try? EAPPacket(packet.span) else { preconditionFailure("the answer is no packet") }
    precondition(Int(packet[2]) << 8 | Int(packet[3]) == packet.count && read.code != .response && session.memoryOctets < 20_000)
    // GTC's password could be guessed, though hardly in the time.
    if case .success(_, let keys) = action {
        precondition(isHonest || session.method == .gtc, "success without the password")
        precondition(keys.map { $0.send.count == 16 && $0.receive.count == 16 } ?? true)
    }
}

/// What a peer answers that knows the password.
private func answer(_ request: [UInt8]) -> [UInt8] {
    guard let packet = try? EAPPacket(request.span), packet.code == .request, let type = packet.type else { return [] }
    switch type {
    case .identity: return EAPPacket.octets(.response, packet.identifier, type, Array("alice".utf8))
    case .notification: return EAPPacket.octets(.response, packet.identifier, type, [])
    case .gtc: return EAPPacket.octets(.response, packet.identifier, type, password)
    case .md5Challenge:
        let text = [packet.identifier] + password + packet.data[1..<17]
        var digest = MD5()
        digest.update(text.span)
        let proof = digest.finish()
        return EAPPacket.octets(.response, packet.identifier, type, [16] + proof.indices.map { proof[$0] })
    case .msCHAPv2: return EAPPacket.octets(.response, packet.identifier, type, answerMSCHAPv2(packet.data))
    default: return []
    }
}

private func answerMSCHAPv2(_ data: [UInt8]) -> [UInt8] {
    guard data[0] == 1, let hash = MSCHAP.ntHash(ofUTF8: password.span) else { return [data[0]] }
    let name = Array("alice".utf8)
    var response = [UInt8](repeating: 3, count: 50)
    let challenge = Array(data[5..<21])
    let challenges = MSCHAP.V2.challengeHash(response: response.span, challenge: challenge.span, userName: name.span)
    let proof = MSCHAP.challengeResponse(challenge: challenges, hash: hash)
    for place in 0..<24 { response[26 + place] = proof[place] }
    return [2, data[1], 0, UInt8(54 + name.count), 49] + response[2...] + [0] + name
}
