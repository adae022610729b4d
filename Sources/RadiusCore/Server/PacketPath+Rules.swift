internal import CLinux

/// Policy rules between the proof of a password and the reply.
extension PacketPath {
    /// Runs the rules of the client's tenant.
    ///
    /// - Parameters:
    ///   - verdict: what status, locks and profile come to.
    ///   - method: by which the password was proven.
    ///   - attempt: the login.
    ///   - subscriber: who logs in.
    /// - Returns: the verdict with the profile that a rule chose, or with a rule's refusal; `rules.outcome` keeps the rest.
    @inline(never)
    mutating func applyRules(
        _ verdict: AccessVerdict, _ method: AuthenticationMethod, _ attempt: Attempt, _ subscriber: SubscriberRecord
    ) -> AccessVerdict {
        rules.outcome = PolicyOutcome()
        let client = attempt.client
        guard verdict.isOpenToRules, let program = snapshot.program(of: client.pointee.tenant) else { return verdict }
        let own = snapshot.profileTable[subscriber.profile]
        let login = PolicyLogin(
            packet: attempt.request.packet, count: attempt.request.count, subscriber: subscriber,
            profileName: own?._withUnsafeGuaranteedRef { $0.wire.name } ?? UnsafeRawBufferPointer(start: nil, count: 0),
            level: verdict.level, nasName: client.pointee.name, nasVendor: client.pointee.vendor,
            nasAddress: Self.address(of: attempt.work.pointee.datagram), method: method, seconds: nowMicroseconds / 1_000_000)
        rules.run(program._withUnsafeGuaranteedRef { $0 }, login)
        return rules.outcome.settle(verdict, in: snapshot)
    }

    /// Does what the rules that hold say of the attributes from `start` on.
    @_lifetime(writer: copy writer)
    func editReply(_ attempt: Attempt, from start: Int, _ writer: inout PacketWriter) {
        guard let program = snapshot.program(of: attempt.client.pointee.tenant) else { return }
        rules.edit(program._withUnsafeGuaranteedRef { $0 }, from: start, &writer)
    }

    /// Appends what the refusing rule has to say.
    @_lifetime(writer: copy writer)
    func appendRuleMessage(_ attempt: Attempt, _ writer: inout PacketWriter) {
        guard let program = snapshot.program(of: attempt.client.pointee.tenant) else { return }
        rules.appendMessage(program._withUnsafeGuaranteedRef { $0 }, &writer)
    }
}

extension AccessReason {
    var isOfPolicy: Bool { self == .policyRejected || self == .policyMethod }
}
