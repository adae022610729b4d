internal import CLinux

/// Policy rules between the proof of a password and the reply.
extension PacketPath {
    /// Runs the rules of the client's tenant.
    ///
    /// - Parameters:
    ///   - verdict: what status, locks and profile come to.
    ///   - method: by which the password was proven.
    ///   - work: the login.
    ///   - subscriber: who logs in.
    /// - Returns: the verdict with the profile that a rule chose, or with a rule's refusal; `rules.outcome` keeps the rest.
    @inline(never)
    mutating func applyRules(
        _ verdict: AccessVerdict, _ method: AuthenticationMethod, _ work: UnsafePointer<PacketWork>, _ subscriber: SubscriberRecord
    ) -> AccessVerdict {
        rules.outcome = PolicyOutcome()
        let client = work.pointee.client
        guard verdict.isOpenToRules, let program = snapshot.program(of: client.pointee.tenant) else { return verdict }
        let own = snapshot.profileTable[subscriber.profile]
        let login = PolicyLogin(
            packet: work.pointee.attributes.packet, count: work.pointee.attributes.count, userName: subscriber.name,
            status: subscriber.status,
            profileName: own?._withUnsafeGuaranteedRef { $0.wire.name } ?? UnsafeRawBufferPointer(start: nil, count: 0),
            level: verdict.level, nasName: client.pointee.name, nasHuntgroup: client.pointee.huntgroup, nasVendor: client.pointee.vendor,
            nasAddress: Self.address(of: work.pointee.datagram), method: method, seconds: Int64(nowUnixSeconds))
        program._withUnsafeGuaranteedRef { rules.run($0, login) }
        return rules.outcome.settle(verdict, in: snapshot)
    }

    /// Runs the rules of the client's tenant that forward.
    ///
    /// - Parameters:
    ///   - program: of these rules.
    ///   - name: User-Name.
    ///   - work: the login.
    ///   - plan: the realms in force.
    /// - Returns: the realm that one of them chooses, and which octets of the name are the user; nil when none does.
    mutating func chooseRealm(
        _ program: Unmanaged<PolicyProgram>, _ name: UnsafeRawBufferPointer, _ work: UnsafePointer<PacketWork>, _ plan: ProxyPlan
    ) -> RealmMatch? {
        let client = work.pointee.client
        let nobody = UnsafeRawBufferPointer(start: nil, count: 0)
        let login = PolicyLogin(
            packet: work.pointee.attributes.packet, count: work.pointee.attributes.count, userName: name, status: nil, profileName: nobody,
            level: .active, nasName: client.pointee.name, nasHuntgroup: client.pointee.huntgroup, nasVendor: client.pointee.vendor,
            nasAddress: Self.address(of: work.pointee.datagram), method: .none, seconds: Int64(nowUnixSeconds))
        let realm = program._withUnsafeGuaranteedRef { rules.run($0, login, forwardingBy: plan) }
        return realm.map { RealmMatch(chosen: $0, for: name) }
    }

    /// Appends what the rule at `position` of the client's tenant has to say.
    @inline(never)
    @_lifetime(writer: copy writer)
    static func appendRuleMessage(
        _ position: Int, _ client: UnsafePointer<ClientRow>, in snapshot: Snapshot, _ writer: inout PacketWriter
    ) {
        guard let program = snapshot.program(of: client.pointee.tenant) else { return }
        program._withUnsafeGuaranteedRef { PolicyScratch.appendMessage($0, position, &writer) }
    }
}

extension AccessReason {
    var isOfPolicy: Bool { self == .policyRejected || self == .policyMethod }
}
