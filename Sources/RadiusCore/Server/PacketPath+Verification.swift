internal import CLinux

/// The checks between a parsed packet and any policy: who signed it, and whether it had to.
extension PacketPath {
    /// Finds out which digests a request needs before it can be answered, and adds them to the batch.
    mutating func gatherDigests(_ position: Int) throws(DecodeError) {
        let work = batch.works + position
        switch work.pointee.kind {
        case .access:
            counters.add(.accessRequests)
            try gatherSignature(position)
            let password = work.pointee.attributes.first(.userPassword)
            if let password, PasswordProof.isPossible(password) {
                work.pointee.pads = batch.addPads(work.pointee.packet, password: password, work.pointee.client.pointee.key)
            }
        case .accounting:
            counters.add(.accountingRequests)
            gatherRequestAuthenticator(position)
        case .unwanted: gatherRequestAuthenticator(position)
        case .status:
            try gatherSignature(position)
        }
        hashName(&work.pointee)
        work.pointee.cacheHash = Self.key(of: work.pointee).hash
    }

    /// Message-Authenticator, if there is one, which must be of the right size and the only one.
    private mutating func gatherSignature(_ position: Int) throws(DecodeError) {
        let work = batch.works + position
        guard let value = try Self.signature(of: work.pointee) else { return }
        guard work.pointee.client.pointee.isBatched else {
            work.pointee.proof = verifyAlone(work.pointee, value, Self.authenticator(of: work.pointee.packet)) ? .right : .wrong
            return
        }
        batch.save(position, at: value.lowerBound)
        work.pointee.proof = .digest
        work.pointee.digest = batch.addInner(
            work.pointee.packet, count: work.pointee.attributes.count, work.pointee.client.pointee.key)
    }

    private mutating func gatherRequestAuthenticator(_ position: Int) {
        let work = batch.works + position
        let client = work.pointee.client
        guard client.pointee.isBatched else {
            let packet = Span(_unsafeStart: work.pointee.packet, count: work.pointee.attributes.count)
            work.pointee.proof = RequestAuthenticator.verify(packet, secret: client.pointee.client.secret) ? .right : .wrong
            return
        }
        batch.save(position, at: 4)
        work.pointee.proof = .digest
        work.pointee.digest = batch.addWhole(work.pointee.packet, count: work.pointee.attributes.count, client.pointee.key)
    }

    mutating func hashName(_ work: inout PacketWork) {
        guard let name = work.attributes.first(.userName) else { return }
        let octets = UnsafeRawBufferPointer(start: work.packet + name.lowerBound, count: name.count)
        work.nameHash = snapshot.subscribers.hash(tenant: work.client.pointee.tenant, name: octets)
    }

    /// Computes the digests of all requests, and meanwhile brings records and cache entries nearer.
    ///
    /// Prefetching has short loops of its own, so that the processor waits for the memory of several requests at once.
    mutating func digestRequests() {
        for position in 0..<batch.count {
            let work = batch.works + position
            snapshot.subscribers.prefetchSlot(work.pointee.nameHash)
            cache.prefetch(work.pointee.cacheHash)
        }
        batch.digest()
        for position in 0..<batch.count {
            let work = batch.works + position
            snapshot.subscribers.prefetchRecord(work.pointee.nameHash)
            cache.prefetchEntry(work.pointee.cacheHash)
        }
        for position in 0..<batch.count {
            let work = batch.works + position
            guard work.pointee.proof == .digest else { continue }
            batch.restore(position)
            if work.pointee.kind == .access || work.pointee.kind == .status {
                work.pointee.digest = batch.addOuter(work.pointee.digest, work.pointee.client.pointee.key)
            }
        }
        batch.digestOuters()
    }

    /// Holds a request against its digests and its client's rules.
    func verify(_ work: PacketWork) throws(DecodeError) {
        switch work.kind {
        case .access: try verifyAccess(work)
        case .accounting, .unwanted: try verifyAccounting(work)
        case .status:
            // A Status-Server must be signed (RFC 5997 §3).
            guard try isSigned(work) else { throw .messageAuthenticatorMissing }
        }
    }

    /// Message-Authenticator of an Access-Request, and the rules against CVE-2024-3596.
    private func verifyAccess(_ work: PacketWork) throws(DecodeError) {
        let hasEAP = work.attributes.contains(.eapMessage)
        let hasProxyState = work.attributes.contains(.proxyState)
        let signed = try isSigned(work)
        let refusal = work.client.pointee.withClient { client -> DecodeError? in
            if !signed {
                if hasEAP || client.demandsMessageAuthenticator { return .messageAuthenticatorMissing }
                if hasProxyState && client.refusesUnsignedProxyState { return .proxyStateUnsigned }
            }
            // EAP is always signed, so it says nothing about the client's other packets.
            if client.learns && !hasEAP { client.observation.learn(signed: signed, hasProxyState: hasProxyState) }
            return nil
        }
        if let refusal { throw refusal }
    }

    /// The Request Authenticator of an Accounting-Request (RFC 2866 §3), and Message-Authenticator where present.
    private func verifyAccounting(_ work: PacketWork) throws(DecodeError) {
        let isRight = work.proof == .digest ? batch.jobs[work.digest].matches(work.packet + 4) : work.proof == .right
        guard isRight else { throw .requestAuthenticatorInvalid }
        guard let value = try Self.signature(of: work) else { return }
        guard verifyAlone(work, value, Digest16(repeating: 0)) else { throw .messageAuthenticatorInvalid }
    }

    /// - Returns: whether a Message-Authenticator is present; it then verifies.
    private func isSigned(_ work: PacketWork) throws(DecodeError) -> Bool {
        switch work.proof {
        case .absent: return false
        case .right: return true
        case .wrong: throw .messageAuthenticatorInvalid
        case .digest:
            guard batch.outers[work.digest].matches(work.packet + work.savedOffset) else { throw .messageAuthenticatorInvalid }
            return true
        }
    }

    /// Where the value of Message-Authenticator lies; nil without one.
    private static func signature(of work: PacketWork) throws(DecodeError) -> Range<Int>? {
        guard let value = work.attributes.first(.messageAuthenticator) else { return nil }
        guard value.count == 16 else { throw .messageAuthenticatorLength }
        guard !work.attributes.repeatsMessageAuthenticator else { throw .messageAuthenticatorRepeated }
        return value
    }

    /// A Message-Authenticator outside the batch: beside a Request Authenticator, or under a secret that does not fit behind a packet.
    private func verifyAlone(_ work: PacketWork, _ value: Range<Int>, _ authenticator: Digest16) -> Bool {
        let packet = Span(_unsafeStart: work.packet, count: work.attributes.count)
        return MessageAuthenticator.verify(
            packet, attributeOffset: value.lowerBound - 2, authenticator: authenticator, secret: work.client.pointee.client.secret)
    }
}
