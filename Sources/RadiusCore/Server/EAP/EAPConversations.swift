import Glibc
import Synchronization

/// Finds the conversation that a packet belongs to, or begins one, and takes a step in it. Any thread may call; a conversation is worked on
/// by one at a time, outside the lock.
final class EAPConversations: Sendable {
    private let settings: EAPService.Settings
    private let store: SnapshotStore
    private let certificates: EAPCertificates?
    private let clock: @Sendable () -> UInt64
    private let state: EAPState
    private let sequences: SIMSequences
    private let table: Mutex<EAPConversationTable>

    init(
        _ settings: EAPService.Settings, store: SnapshotStore, certificates: EAPCertificates?, clock: @escaping @Sendable () -> UInt64
    ) {
        self.settings = settings
        self.store = store
        self.certificates = certificates
        self.clock = clock
        sequences = SIMSequences(node: Array(settings.node.utf8))
        state = EAPState(node: Array(settings.node.utf8), secret: Self.secret())
        table = Mutex(
            EAPConversationTable(
                .init(
                    conversations: max(1, settings.conversations), octets: settings.memoryOctets,
                    lifetimeNanoseconds: UInt64(max(1, settings.conversationSeconds)) * 1_000_000_000)))
    }

    var statistics: EAPService.Statistics {
        table.withLock { table in
            EAPService.Statistics(
                conversations: table.count, memoryOctets: table.octets, begun: table.statistics.begun, expired: table.statistics.expired,
                displacedBegun: table.statistics.displacedBegun, displacedAnswered: table.statistics.displacedAnswered)
        }
    }

    /// Answers one packet.
    ///
    /// - Parameters:
    ///   - arrival: what conversations need of the request.
    ///   - request: all of it, for policy rules.
    /// - Returns: what the worker sends, or does.
    func answer(_ arrival: EAPArrival, of request: ParkedRequest) -> EAPOutcome {
        guard let octets = arrival.state else { return begin(arrival, request) }
        switch state.read(octets, client: arrival.client, tenant: arrival.tenant) {
        case .otherNode: return Self.refuse(arrival, .eapOtherNode)
        case .forged: return Self.refuse(arrival, .eapConversationUnknown)
        case .conversation(let slot, let number):
            let now = clock()
            switch table.withLock({ $0.take(slot, number: number, now: now) }) {
            case .busy: return .drop
            case .gone: return Self.refuse(arrival, .eapConversationUnknown)
            case .session(let session): return go(on: session, in: slot, arrival, request, octets)
            }
        }
    }

    private func begin(_ arrival: EAPArrival, _ request: ParkedRequest) -> EAPOutcome {
        var session = EAPSession(identifier: UInt8.random(in: 0...255))
        let action: EAPSession.Action
        if arrival.message.isEmpty {
            action = session.start()
        } else {
            // A Response/Identity begins a conversation; anything else goes on with one.
            guard arrival.message.count < 5 || arrival.message[4] == EAPType.identity.number else {
                return Self.refuse(arrival, .eapStateMissing)
            }
            action = step(&session, arrival, request)
        }
        guard !session.hasEnded else { return outcome(action, session, []) }
        let (number, now) = (UInt64.random(in: 0...UInt64.max), clock())
        let begun = session
        guard let slot = table.withLock({ $0.add(begun, number: number, client: arrival.client, now: now) }) else {
            return Self.refuse(arrival, .eapOverloaded)
        }
        return outcome(action, session, state.make(slot: slot, number: number, client: arrival.client, tenant: arrival.tenant))
    }

    private func go(
        on taken: EAPSession, in slot: Int, _ arrival: EAPArrival, _ request: ParkedRequest, _ octets: [UInt8]
    ) -> EAPOutcome {
        var session = taken
        guard !session.isAnswering(otherThan: arrival.message) else {
            let now = clock()
            table.withLock { $0.put(taken, in: slot, .answered, now: now) }
            return .drop
        }
        let action = step(&session, arrival, request)
        let verdict = session.takeVerdict()
        let stage: EAPConversationTable.Stage = session.hasEnded ? .ended : session.hasAnswered ? .answered : .begun
        let (after, now) = (session, clock())
        table.withLock { $0.put(after, in: slot, stage, now: now) }
        return outcome(action, session, octets, foreseen: verdict)
    }

    private func step(_ session: inout EAPSession, _ arrival: EAPArrival, _ request: ParkedRequest) -> EAPSession.Action {
        let snapshot = store.snapshot
        let contexts = certificates?.contexts ?? EAPCertificates.Contexts()
        var tls = EAPTLSSurroundings(
            certificate: contexts.certificate, tunnel: contexts.tunnel, names: settings.certificateNames,
            packetOctets: min(settings.packetOctets, arrival.framedMTU ?? .max), ttlsMethods: settings.ttlsMethods,
            peapMethods: settings.peapMethods, peapBinding: settings.peapBinding, tenant: arrival.tenant)
        tls.teap = settings.teap
        tls.status = certificates?.status
        tls.versions = { Self.versions(of: arrival, request, in: snapshot) }
        let surroundings = EAPSurroundings(
            methods: settings.methods, serverName: Array(settings.serverName.utf8), notifiesRefused: settings.notifiesRefused,
            octetLimit: settings.conversationOctets, account: { EAPAccount(of: $0, in: arrival.tenant, snapshot) },
            random: Self.random, tls: tls,
            card: EAPCardSurroundings(sequences: sequences, network: Array(settings.akaPrimeNetwork.utf8), now: Self.tenthsOfSecond))
        let action = session.isWaiting ? session.goOn(surroundings) : session.receive(arrival.message, surroundings)
        // RFC 3579 §2.1: the NAS copies the identity into User-Name of each request.
        guard session.identity.isEmpty || session.identity == arrival.userName else {
            return session.refuse(.eapIdentityMismatch, arrival.message)
        }
        return action
    }

    private func outcome(
        _ action: EAPSession.Action, _ session: EAPSession, _ state: [UInt8], foreseen: AccessReason? = nil
    ) -> EAPOutcome {
        switch action {
        case .request(let packet):
            return .challenge(packet, state: state, wasIgnored: false, verdict: foreseen.map { Self.verdict($0, session) })
        case .again(let packet): return .challenge(packet, state: state, wasIgnored: true)
        case .wait(let inquiry): return .wait(inquiry)
        case .success(let packet, let keys):
            let method = AuthenticationMethod(session.method, session.inner)
            return .proven(packet, identity: session.proven, keys: keys, method: method, isNoted: session.isNoted)
        case .failure(let packet, let reason):
            return .refused(packet, Self.verdict(reason, session), isNoted: session.isNoted)
        }
    }

    private static func verdict(_ reason: AccessReason, _ session: EAPSession) -> EAPOutcome.Verdict {
        let identity = [session.proven, session.claimed].first { !$0.isEmpty } ?? session.identity
        return EAPOutcome.Verdict(reason: reason, identity: identity, method: AuthenticationMethod(session.method, session.inner))
    }

    private static func refuse(_ arrival: EAPArrival, _ reason: AccessReason) -> EAPOutcome {
        .refused(
            EAPPacket.octets(.failure, arrival.message.count > 1 ? arrival.message[1] : 0),
            EAPOutcome.Verdict(reason: reason, identity: arrival.userName, method: .eap), isNoted: false)
    }

    private static func secret() -> [UInt8] {
        let (first, second) = (random(), random())
        return first.indices.map { first[$0] } + second.indices.map { second[$0] }
    }

    /// Since 1970, by the clock that people set.
    private static var tenthsOfSecond: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) * 10 + UInt64(clamping: time.tv_nsec) / 100_000_000
    }

    /// Two words: the system is asked once for each.
    private static func random() -> Digest16 {
        let words = (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max))
        return Digest16 { UInt8(truncatingIfNeeded: ($0 < 8 ? words.0 : words.1) >> (UInt64($0 & 7) * 8)) }
    }
}

extension EAPAccount {
    /// What the snapshot says of a name; nil for an unknown one.
    init?(of identity: [UInt8], in tenant: Int64, _ snapshot: Snapshot) {
        // The snapshot keeps the record's memory alive while it is copied.
        let account = withExtendedLifetime(snapshot) { () -> EAPAccount? in
            guard let record = identity.withUnsafeBytes({ snapshot.subscribers.find(tenant: tenant, name: $0) }) else { return nil }
            let verdict = AccessVerdict(record, in: snapshot, at: UInt32(clamping: time(nil)))
            let isRefused = !verdict.isAccepted && !(snapshot.hasRules && verdict.isOpenToRules)
            return EAPAccount(Self.credential(of: record), card: Self.card(of: record), refusal: isRefused ? verdict.reason : nil)
        }
        guard let account else { return nil }
        self = account
    }

    private static func card(of record: SubscriberRecord) -> Card? {
        SIMCredential(octets: Array(record.card)).map { Card($0, subscriber: record.id) }
    }

    private static func credential(of record: SubscriberRecord) -> Credential {
        let stored = record.credential
        switch record.credentialKind {
        case .none: return .none
        case .clearText: return .clearText(Array(stored))
        case .ntHash: return stored.count == 16 ? .ntHash(Digest16 { stored[$0] }) : .none
        case .hash: return .hash(Array(stored))
        }
    }
}
