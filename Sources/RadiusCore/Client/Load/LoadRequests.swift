import CLinux

/// Writes the requests of a load plan into lanes. Allocates nothing after its beginning.
struct LoadRequests {
    private let plan: LoadPlan
    private let run: [UInt8]
    /// MS-CHAPv2: each user's response to a challenge that stays the same for the whole run; DES would cost the generator more
    /// than the server's check. 50 octets each.
    private var responses: [UInt8] = []
    private let challenge: Digest16
    private var random = SystemSeededRandom()

    init(_ plan: LoadPlan) {
        self.plan = plan
        run = Array(plan.run.utf8)
        var generator = SystemSeededRandom()
        let challenge = generator.digest()
        self.challenge = challenge
        if plan.mode == .msCHAPv2, plan.prepared == 0 { prepareResponses(peerChallenge: generator.digest()) }
    }

    private mutating func prepareResponses(peerChallenge: Digest16) {
        responses.reserveCapacity(plan.users.count * 50)
        for user in 0..<plan.users.count {
            let hash = MSCHAP.ntHash(ofUTF8: plan.users.span.extracting(plan.users.password(user))) ?? Digest16(repeating: 0)
            let response = MSCHAP.V2.response(
                identifier: 0, challenge: challenge.span, peerChallenge: peerChallenge, ntHash: hash,
                userName: plan.users.span.extracting(plan.users.name(user)))
            for position in 0..<50 { responses.append(response[position]) }
        }
    }

    /// A request for a user picked at random, with challenges of its own.
    ///
    /// - Returns: octets.
    mutating func writeAny(_ identifier: UInt8, into memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var lane = LoadLanes.Lane()
        lane.identifier = identifier
        lane.user = Int(random.next().multipliedFullWidth(by: UInt64(plan.users.count)).high)
        return access(lane, Int(identifier), memory)
    }

    /// Makes the lane's request.
    ///
    /// - Returns: octets.
    mutating func write(_ lane: LoadLanes.Lane, port: Int, into memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
        plan.mode == .accounting ? accounting(lane, port, memory) : access(lane, port, memory)
    }

    private mutating func access(_ lane: LoadLanes.Lane, _ port: Int, _ memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let authenticator = random.digest()
        var writer = PacketWriter(memory.mutableSpan, code: .accessRequest, identifier: lane.identifier)
        writer.setAuthenticator(authenticator)
        writer.reserveMessageAuthenticator()
        let users = plan.users.span
        writer.append(AttributeNumber.userName, users.extracting(plan.users.name(lane.user)))
        proof(lane, users.extracting(plan.users.password(lane.user)), authenticator, &writer)
        writer.append(AttributeNumber.nasPort, UInt32(truncatingIfNeeded: port))
        writer.append(encoded: plan.attributes.span)
        let finished = writer.finish()
        var packet = MutableSpan(_unsafeStart: memory.baseAddress.unsafelyUnwrapped, count: finished.count)
        MessageAuthenticator.sign(&packet, attributeOffset: PacketHeader.count, authenticator: authenticator, secret: plan.secret)
        return finished.count
    }

    @_lifetime(writer: copy writer)
    private func proof(_ lane: LoadLanes.Lane, _ password: Span<UInt8>, _ authenticator: Digest16, _ writer: inout PacketWriter) {
        switch plan.mode {
        case .chap:
            let response = CHAP.response(identifier: lane.identifier, challenge: authenticator.span, password: password)
            writer.append(AttributeNumber.chapPassword, response.span)
        case .msCHAPv2 where responses.isEmpty:
            let hash = MSCHAP.ntHash(ofUTF8: password) ?? Digest16(repeating: 0)
            let response = MSCHAP.V2.response(
                identifier: lane.identifier, challenge: authenticator.span, peerChallenge: challenge, ntHash: hash,
                userName: plan.users.span.extracting(plan.users.name(lane.user)))
            writer.append(vendor: ClientCredential.Microsoft.vendor, ClientCredential.Microsoft.chapChallenge, authenticator.span)
            writer.append(vendor: ClientCredential.Microsoft.vendor, ClientCredential.Microsoft.chap2Response, response.span)
        case .msCHAPv2:
            let response = responses.span.extracting(lane.user * 50..<lane.user * 50 + 50)
            writer.append(vendor: ClientCredential.Microsoft.vendor, ClientCredential.Microsoft.chapChallenge, challenge.span)
            writer.append(vendor: ClientCredential.Microsoft.vendor, ClientCredential.Microsoft.chap2Response, response)
        case .pap, .accounting, .echo:
            var hidden = InlineArray<128, UInt8>(repeating: 0)
            var buffer = hidden.mutableSpan
            let count = UserPassword.hide(password, requestAuthenticator: authenticator, secret: plan.secret, into: &buffer)
            writer.append(AttributeNumber.userPassword, hidden.span.extracting(0..<count))
        }
    }

    private func accounting(_ lane: LoadLanes.Lane, _ port: Int, _ memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let record = lane.record
        var writer = PacketWriter(memory.mutableSpan, code: .accountingRequest, identifier: lane.identifier)
        writer.append(AttributeNumber.acctStatusType, UInt32(truncatingIfNeeded: record.statusNumber))
        writer.append(AttributeNumber.userName, plan.users.span.extracting(plan.users.name(lane.user)))
        sessionID(record, &writer)
        writer.append(AttributeNumber.nasPort, UInt32(truncatingIfNeeded: port))
        // 10.0.0.0/8 by session.
        writer.append(AttributeNumber.framedIPAddress, 0x0a00_0000 | UInt32(truncatingIfNeeded: record.session) & 0xff_ffff)
        writer.append(AttributeNumber.eventTimestamp, UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000))
        if record.step > 0 || record.isStop { counters(record, &writer) }
        if record.isStop { writer.append(AttributeNumber.acctTerminateCause, 1) }
        writer.append(encoded: plan.attributes.span)
        let finished = writer.finish()
        var packet = MutableSpan(_unsafeStart: memory.baseAddress.unsafelyUnwrapped, count: finished.count)
        RequestAuthenticator.sign(&packet, secret: plan.secret)
        return finished.count
    }

    @_lifetime(writer: copy writer)
    private func counters(_ record: LoadRecord, _ writer: inout PacketWriter) {
        writer.append(AttributeNumber.acctSessionTime, UInt32(truncatingIfNeeded: record.seconds))
        writer.append(AttributeNumber.acctInputOctets, UInt32(truncatingIfNeeded: record.inputOctets))
        writer.append(AttributeNumber.acctInputGigawords, UInt32(truncatingIfNeeded: record.inputOctets >> 32))
        writer.append(AttributeNumber.acctOutputOctets, UInt32(truncatingIfNeeded: record.outputOctets))
        writer.append(AttributeNumber.acctOutputGigawords, UInt32(truncatingIfNeeded: record.outputOctets >> 32))
    }

    /// The run, a hyphen, the session's number.
    @_lifetime(writer: copy writer)
    private func sessionID(_ record: LoadRecord, _ writer: inout PacketWriter) {
        var text = InlineArray<64, UInt8>(repeating: UInt8(ascii: "-"))
        let prefix = min(run.count, 40)
        for position in 0..<prefix { text[position] = run[position] }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        let length = LoadRecord.decimal(record.session, into: &digits)
        for position in 0..<length { text[prefix + 1 + position] = digits[position] }
        writer.append(AttributeNumber.acctSessionID, text.span.extracting(0..<prefix + 1 + length))
    }
}

/// xoshiro256** seeded by the system: authenticators need to be unpredictable for an attack only in production, and distinct here.
struct SystemSeededRandom {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    init() {
        state = (.random(in: 1 ... .max), .random(in: 1 ... .max), .random(in: 1 ... .max), .random(in: 1 ... .max))
    }

    mutating func next() -> UInt64 {
        let scrambled = state.1 &* 5
        let result = (scrambled << 7 | scrambled >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    mutating func digest() -> Digest16 {
        let (first, second) = (next(), next())
        return Digest16 { UInt8(truncatingIfNeeded: ($0 < 8 ? first : second) >> UInt64($0 & 7 &* 8)) }
    }
}
