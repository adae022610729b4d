import CLinux
public import Synchronization

/// What holds for a whole tenant where subscriber and profile say nothing.
public struct AccessPolicy: Sendable, BitwiseCopyable {
    /// Profile of captive subscribers; 0 for none, and then they are refused.
    public var walledGardenProfile: Int64
    public var interimSeconds: UInt32

    public init(walledGardenProfile: Int64 = 0, interimSeconds: UInt32 = 600) {
        self.walledGardenProfile = walledGardenProfile
        self.interimSeconds = interimSeconds
    }
}

/// Everything that an answer depends on, at one moment. Immutable; shared by all workers.
public final class Snapshot: Sendable {
    public let clients: ClientTable
    public let subscribers: SubscriberTable
    public let profiles: [Int64: ReplyProfile]
    public let policies: [Int64: AccessPolicy]
    /// Per-packet encrypted attributes of the few subscribers that have such.
    public let keyedAttributes: [Int64: [ReplyAttribute]]
    public let dictionary: RadiusDictionary
    /// The same profiles and policies for the packet path; `profiles` keeps alive what the table points to.
    let profileTable: NumberTable<Unmanaged<ReplyProfile>>
    private let policyTable: NumberTable<AccessPolicy>
    /// The policy rules of the tenants that have any; these keep alive what the table points to.
    public let programs: [Int64: PolicyProgram]
    private let programTable: NumberTable<Unmanaged<PolicyProgram>>
    let hasRules: Bool
    /// The same of the rules that forward.
    public let forwarding: [Int64: PolicyProgram]
    private let forwardingTable: NumberTable<Unmanaged<PolicyProgram>>
    let hasForwarding: Bool
    /// The same of the rules about versions of TLS; not for the packet path.
    public let handshakes: [Int64: PolicyProgram]
    /// Realms and home servers; nil where there are none.
    public let proxy: ProxyPlan?
    let hasRealms: Bool
    /// Some profile limits sessions.
    let hasSessionLimits: Bool

    public init(
        clients: ClientTable, subscribers: SubscriberTable, profiles: [Int64: ReplyProfile], policies: [Int64: AccessPolicy],
        keyedAttributes: [Int64: [ReplyAttribute]] = [:], programs: [Int64: PolicyProgram] = [:],
        forwarding: [Int64: PolicyProgram] = [:], handshakes: [Int64: PolicyProgram] = [:], proxy: ProxyPlan? = nil,
        dictionary: RadiusDictionary
    ) {
        self.clients = clients
        self.subscribers = subscribers
        self.profiles = profiles
        self.policies = policies
        self.keyedAttributes = keyedAttributes
        self.programs = programs
        self.dictionary = dictionary
        programTable = NumberTable(programs.map { (number: $0.key, value: Unmanaged.passUnretained($0.value)) })
        hasRules = !programs.isEmpty
        self.forwarding = forwarding
        forwardingTable = NumberTable(forwarding.map { (number: $0.key, value: Unmanaged.passUnretained($0.value)) })
        hasForwarding = !forwarding.isEmpty
        self.handshakes = handshakes
        self.proxy = proxy
        hasSessionLimits = profiles.values.contains { $0.sessionLimit.count > 0 }
        hasRealms = proxy?.realms.isEmpty == false
        profileTable = NumberTable(profiles.map { (number: $0.key, value: Unmanaged.passUnretained($0.value)) })
        policyTable = NumberTable(policies.map { (number: $0.key, value: $0.value) })
    }

    /// The policy rules of `tenant`.
    func program(of tenant: Int64) -> Unmanaged<PolicyProgram>? { programTable[tenant] }

    /// The rules of `tenant` that forward.
    func forwardingProgram(of tenant: Int64) -> Unmanaged<PolicyProgram>? { forwardingTable[tenant] }

    /// The policy of `tenant`, or the defaults.
    public func policy(of tenant: Int64) -> AccessPolicy { policyTable[tenant] ?? AccessPolicy() }
}

/// Where the snapshot in force stands. A reader looks at `generation`, one relaxed load, and takes the lock only when it changed.
///
/// A snapshot that is no longer in force is kept until nobody else holds it, and let go by `releaseRetired`: giving back gigabytes must
/// not fall to the worker that happens to drop it last.
public final class SnapshotStore: Sendable {
    private struct State {
        var current: Snapshot
        var retired: [Snapshot] = []
    }

    private let state: Mutex<State>
    public let generation = Atomic<UInt64>(1)

    public init(_ snapshot: Snapshot) {
        state = Mutex(State(current: snapshot))
    }

    public var snapshot: Snapshot { state.withLock { $0.current } }

    /// Puts `snapshot` in force; workers see it at their next batch.
    public func publish(_ snapshot: Snapshot) {
        state.withLock { state in
            state.retired.append(state.current)
            state.current = snapshot
        }
        generation.add(1, ordering: .releasing)
    }

    /// Lets go the former snapshots that no one reads any more. For the thread that publishes.
    ///
    /// - Returns: how many are still read.
    @discardableResult
    public func releaseRetired() -> Int {
        var retired = state.withLock { state in
            let retired = state.retired
            state.retired = []
            return retired
        }
        var unused: [Snapshot] = []
        for place in retired.indices.reversed() where isKnownUniquelyReferenced(&retired[place]) {
            unused.append(retired.remove(at: place))
        }
        let (count, kept) = (retired.count, retired)
        state.withLock { $0.retired += kept }
        return count
    }

    /// Gives the memory of snapshots that were let go back to the system. Takes milliseconds: not for a worker.
    public static func giveBackMemory() { lm_give_back_memory() }
}
