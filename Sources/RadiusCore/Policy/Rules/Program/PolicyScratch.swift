/// What one login brings to the rules.
struct PolicyLogin {
    /// The request, its length checked.
    let packet: UnsafePointer<UInt8>
    let count: Int
    /// The subscriber's; on arrival User-Name, which is all that is known then.
    let userName: UnsafeRawBufferPointer
    /// Nil on arrival.
    let status: SubscriberStatus?
    /// The name of the subscriber's own profile.
    let profileName: UnsafeRawBufferPointer
    let level: AccessLevel
    let nasName: UnsafeRawBufferPointer
    /// Empty for none.
    let nasHuntgroup: UnsafeRawBufferPointer
    let nasVendor: NASVendor
    let nasAddress: IPAddress
    let method: AuthenticationMethod
    /// Since 1970.
    let seconds: Int64
}

extension PolicyLogin {
    /// Of a packet that is kept: nothing is known of a subscriber, and nothing of a NAS that is gone.
    init(
        kept packet: UnsafePointer<UInt8>, count: Int, userName: UnsafeRawBufferPointer, from client: UnsafePointer<ClientRow>?,
        at address: IPAddress, method: AuthenticationMethod, microseconds: Int64
    ) {
        let nobody = UnsafeRawBufferPointer(start: nil, count: 0)
        self.init(
            packet: packet, count: count, userName: userName, status: nil, profileName: nobody, level: .active,
            nasName: client?.pointee.name ?? nobody, nasHuntgroup: client?.pointee.huntgroup ?? nobody,
            nasVendor: client?.pointee.vendor ?? .generic, nasAddress: address, method: method, seconds: microseconds / 1_000_000)
    }
}

/// What the rules come to.
struct PolicyOutcome: BitwiseCopyable {
    /// `accepted` unless a rule refuses.
    var refusal = AccessReason.accepted
    /// The position of the rule that refused, or ended the rules; -1 for none.
    var last = -1
    /// The profile that a rule chose; 0 for none.
    var profile: Int64 = 0
    /// Some rule that holds changes the reply's attributes.
    var hasEdits = false
}

/// Memory that a worker runs rules in. Allocated once; confined to its thread.
struct PolicyScratch: ~Copyable {
    let slots: UnsafeMutablePointer<PolicySlot>
    /// One bit a rule: it is to be run; it holds.
    private let candidates: UnsafeMutablePointer<UInt64>
    let fired: UnsafeMutablePointer<UInt64>
    /// What the last login came to.
    var outcome = PolicyOutcome()

    init() {
        slots = .allocate(capacity: PolicyAssembly.mostSlots)
        slots.initialize(repeating: PolicySlot(), count: PolicyAssembly.mostSlots)
        let words = (PolicyRule.limit + 63) / 64
        candidates = .allocate(capacity: words)
        candidates.initialize(repeating: 0, count: words)
        fired = .allocate(capacity: words)
        fired.initialize(repeating: 0, count: words)
    }

    deinit {
        slots.deallocate()
        candidates.deallocate()
        fired.deallocate()
    }

    /// Runs the rules of `program`; `outcome` then says what they come to. Allocates nothing.
    mutating func run(_ program: PolicyProgram, _ login: borrowing PolicyLogin) {
        outcome = PolicyOutcome()
        fill(program, login)
        choose(program)
        let method = UInt64(1) &<< UInt64(login.method.rawValue)
        for word in 0..<program.width {
            var left = candidates[word]
            while left != 0 {
                let bit = left.trailingZeroBitCount
                left &= left &- 1
                let rule = word &* 64 &+ bit
                guard program.holds(program.conditions[rule], slots) else { continue }
                fired[word] |= 1 &<< UInt64(bit)
                if apply(program.rows + rule, rule, method, login.level) { return }
            }
        }
    }

    /// Runs the rules of `program`, which forward: the first that holds, and whose realm is in force, is the last. Allocates nothing.
    ///
    /// - Returns: the realm; nil when no rule chooses one.
    mutating func run(_ program: PolicyProgram, _ login: borrowing PolicyLogin, forwardingBy plan: ProxyPlan) -> Realm? {
        first(program, login) { plan.realm(program.rows[$0].realm) }
    }

    /// Runs the rules of `program`, which are about versions of TLS: the first that holds is the last.
    ///
    /// - Returns: the versions that it leaves; nil when none holds.
    mutating func versions(_ program: PolicyProgram, _ login: borrowing PolicyLogin) -> TLSSettings.Versions? {
        first(program, login) { program.compiled[$0].versions }
    }

    /// Finds the first rule that holds and of which `choice` makes something, and what that is.
    @inline(__always)
    private mutating func first<Choice>(
        _ program: PolicyProgram, _ login: borrowing PolicyLogin, _ choice: (Int) -> Choice?
    ) -> Choice? {
        outcome = PolicyOutcome()
        fill(program, login)
        choose(program)
        for word in 0..<program.width {
            var left = candidates[word]
            while left != 0 {
                let rule = word &* 64 &+ left.trailingZeroBitCount
                left &= left &- 1
                guard program.holds(program.conditions[rule], slots), let chosen = choice(rule) else { continue }
                outcome.last = rule
                return chosen
            }
        }
        return nil
    }

    /// - Returns: whether the rules behind this one are left out.
    @inline(__always)
    private mutating func apply(
        _ row: UnsafeMutablePointer<PolicyRow>, _ rule: Int, _ method: UInt64, _ level: AccessLevel
    ) -> Bool {
        if row.pointee.outcome == .reject {
            (outcome.refusal, outcome.last) = (.policyRejected, rule)
            return true
        }
        if row.pointee.methods != 0, row.pointee.methods & method == 0 {
            (outcome.refusal, outcome.last) = (.policyMethod, rule)
            return true
        }
        // Nothing that a rule gives reaches into the walled garden.
        if level == .active {
            if row.pointee.profile != 0 { outcome.profile = row.pointee.profile }
            if row.pointee.editCount != 0 { outcome.hasEdits = true }
        }
        guard row.pointee.outcome == .stop else { return false }
        outcome.last = rule
        return true
    }

    /// Finds the rules that can hold.
    @inline(__always)
    private mutating func choose(_ program: PolicyProgram) {
        for word in 0..<program.width {
            candidates[word] = program.sets[word]
            fired[word] = 0
        }
        for position in 0..<program.guardCount {
            let place = program.guards[position]
            let slot = slots + Int(place)
            guard slot.pointee.isPresent else { continue }
            let hash: UInt64
            if let octets = slot.pointee.octets {
                hash = PolicyIndex.hash(UnsafeRawBufferPointer(start: octets, count: Int(slot.pointee.count)), slot: place)
            } else {
                hash = PolicyIndex.hash(slot.pointee.low, slot.pointee.high, slot: place)
            }
            add(program, hash)
        }
    }

    @inline(__always)
    private func add(_ program: PolicyProgram, _ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash) & program.entryMask
        while program.entries[place].set != 0 {
            if program.entries[place].hash == hash {
                let set = program.sets + Int(program.entries[place].set)
                for word in 0..<program.width { candidates[word] |= set[word] }
                return
            }
            place = (place &+ 1) & program.entryMask
        }
    }
}
