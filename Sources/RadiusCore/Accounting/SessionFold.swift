/// What one record meant for a session.
public struct SessionEffect: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// The session was not known before: a Start, or an Interim-Update whose Start was lost.
        case opened
        case updated
        /// The NAS's Stop.
        case closed
        /// Nothing new; a retransmission.
        case duplicate
        /// Arrived behind the Stop; higher counters still count.
        case late
        /// It had been closed by us, and goes on.
        case resumed
        /// It belongs to a newer session with the same id: this one is over, open another with `SessionFold(opening:)`.
        case reopened
        /// It belongs to an earlier session with the same id.
        case older
    }

    public var kind: Kind
    /// Octets and seconds by which the session grew; usage is the sum of these.
    public var upload: UInt64 = 0
    public var download: UInt64 = 0
    public var seconds: UInt64 = 0
}

/// Who ended a session.
public enum SessionEnding: UInt8, Sendable {
    /// The NAS, by Stop.
    case stop = 1
    /// The NAS's Accounting-On or -Off.
    case accountingOn = 2
    /// A NAS that answered "session context not found" (RFC 5176 §3.5, 503), or an operator.
    case ghost = 3
    /// A newer session with the same id.
    case replaced = 4
}

/// One session, folded from its records in whatever order and number they arrive. A pure value.
///
/// Any order and any repetition of a session's records ends in the same state.
public struct SessionFold: Equatable, Sendable {
    /// How exactly the start of a session follows from a record with an Event-Timestamp or an Acct-Delay-Time that counts, and from one
    /// without: a NAS that sends neither may repeat its record for so long.
    static let stampedMicroseconds: Int64 = 15_000_000
    static let unstampedMicroseconds: Int64 = 120_000_000
    /// A NAS's clock that is behind by less makes no difference to whether a session seems silent.
    static let laggingMicroseconds: Int64 = 30_000_000
    /// Acct-Session-Time beyond five years is a broken NAS.
    static let secondsLimit: UInt32 = 157_680_000

    public internal(set) var startedMicroseconds: Int64
    /// The latest event.
    public internal(set) var updatedMicroseconds: Int64
    /// When it was heard of last, by our clock, where the events seem to be older: the NAS's clock is behind, or it held records back
    /// without saying so. Nil else.
    public internal(set) var heardMicroseconds: Int64?
    public internal(set) var stoppedMicroseconds: Int64?
    public internal(set) var ending: SessionEnding?
    public internal(set) var terminateCause: TerminateCause?
    public internal(set) var upload = Counters64()
    public internal(set) var download = Counters64()
    /// Acct-Session-Time, or the time between first and last event where the NAS sends none.
    public internal(set) var seconds: UInt64 = 0
    /// A Start was among the records.
    public internal(set) var hasStart = false
    /// `startedMicroseconds` is more than the time of some record.
    var startIsKnown = false
    /// The NAS sends Acct-Session-Time.
    var hasSeconds = false
    /// Nil in a session that a former version stored.
    var sighting: SessionSighting?
    var addresses = SessionAddresses()
    var digests = RecentDigests()

    /// Whether the session is going on as far as we know.
    public var isOpen: Bool { stoppedMicroseconds == nil }

    private init(startedMicroseconds: Int64) {
        self.startedMicroseconds = startedMicroseconds
        updatedMicroseconds = startedMicroseconds
    }

    /// A session of which `record` is the first that arrived; about a session (`AcctStatus.isAboutSession`).
    public static func opened(by record: AccountingProgress) -> (SessionFold, SessionEffect) {
        var fold = SessionFold(startedMicroseconds: record.time.microseconds)
        var effect = fold.absorb(record)
        if effect.kind == .updated { effect.kind = .opened }
        return (fold, effect)
    }

    /// Takes a record with this session's key in.
    ///
    /// - Returns: what it meant. On `.reopened` this session has been closed and the record is not in it; on `.older` nothing changed.
    public mutating func apply(_ record: AccountingProgress) -> SessionEffect {
        switch relation(to: record) {
        case .newer:
            if isOpen { close(atMicroseconds: updatedMicroseconds, by: .replaced, cause: .nasReboot) }
            return SessionEffect(kind: .reopened)
        case .older: return SessionEffect(kind: .older)
        case .same: return absorb(record)
        }
    }

    /// Ends the session without a Stop. A closed one is left as it is.
    public mutating func close(atMicroseconds moment: Int64, by ending: SessionEnding, cause: TerminateCause) {
        guard isOpen else { return }
        stoppedMicroseconds = max(moment, startedMicroseconds)
        self.ending = ending
        terminateCause = cause
    }

    private mutating func absorb(_ record: AccountingProgress) -> SessionEffect {
        let event = record.time.microseconds
        let digest = record.digest
        let isKnown = digests.contains(digest) || record.status == .start && hasStart
        note(record, digest: digest)
        var effect = SessionEffect(kind: isKnown ? .duplicate : isOpen ? .updated : .late)
        if !isKnown, record.status == .stop { effect.kind = stop(record) }
        if !isKnown, effect.kind == .late, record.status == .interimUpdate, resumes(event, record) { effect.kind = .resumed }
        let position = record.seconds.map(Int64.init) ?? event / 1_000_000
        if let counter = record.upload { effect.upload = upload.observe(counter, position: position) }
        if let counter = record.download { effect.download = download.observe(counter, position: position) }
        effect.seconds = grow(record)
        return effect
    }

    private mutating func note(_ record: AccountingProgress, digest: UInt64) {
        if !digests.contains(digest) { digests.append(digest) }
        if record.status == .start {
            hasStart = true
            addresses.merge(record.addresses)
        }
        if record.estimatedStart != nil {
            startIsKnown = true
            let seen = SessionSighting(age: record.seconds ?? 0, microseconds: record.time.sentMicroseconds)
            sighting = sighting.map { seen.isBetter(than: $0) ? seen : $0 } ?? seen
        }
        startedMicroseconds = min(startedMicroseconds, record.estimatedStart ?? record.time.microseconds)
        updatedMicroseconds = max(updatedMicroseconds, record.time.microseconds)
        hear(max(heardMicroseconds ?? 0, record.time.sentMicroseconds))
    }

    /// Keeps `moment` only where it says more than the latest event.
    mutating func hear(_ moment: Int64?) {
        heardMicroseconds = moment.flatMap { $0 > updatedMicroseconds + Self.laggingMicroseconds ? $0 : nil }
    }

    /// The Stop with the latest event says when and why; a Stop also replaces an end that we had guessed.
    private mutating func stop(_ record: AccountingProgress) -> SessionEffect.Kind {
        let event = record.time.microseconds
        let wasStopped = ending == .stop
        if let stoppedMicroseconds, wasStopped, event <= stoppedMicroseconds { return .late }
        stoppedMicroseconds = event
        ending = .stop
        terminateCause = record.terminateCause
        return wasStopped ? .late : .closed
    }

    private mutating func resumes(_ event: Int64, _ record: AccountingProgress) -> Bool {
        guard let stoppedMicroseconds, ending != .stop, event > stoppedMicroseconds + record.tolerance else { return false }
        self.stoppedMicroseconds = nil
        ending = nil
        terminateCause = nil
        return true
    }

    /// Raises `seconds`; returns by how much.
    private mutating func grow(_ record: AccountingProgress) -> UInt64 {
        let before = seconds
        if let reported = record.seconds, record.status != .start {
            hasSeconds = true
            seconds = max(seconds, UInt64(reported))
        } else if !hasSeconds {
            seconds = max(seconds, UInt64(max(0, updatedMicroseconds - startedMicroseconds)) / 1_000_000)
        }
        return seconds - before
    }
}

/// The digests of a session's last records, oldest first, to know a retransmission. In place: a session has no more memory for them.
struct RecentDigests: Equatable, Sendable {
    static let capacity = 8
    private var values = InlineArray<8, UInt64>(repeating: 0)
    private(set) var count = 0

    subscript(position: Int) -> UInt64 { values[position] }

    func contains(_ digest: UInt64) -> Bool {
        for position in 0..<count where values[position] == digest { return true }
        return false
    }

    /// The oldest goes when there is no room.
    mutating func append(_ digest: UInt64) {
        if count == Self.capacity {
            for position in 1..<count { values[position - 1] = values[position] }
            count -= 1
        }
        values[count] = digest
        count += 1
    }

    static func == (left: RecentDigests, right: RecentDigests) -> Bool {
        guard left.count == right.count else { return false }
        for position in 0..<left.count where left.values[position] != right.values[position] { return false }
        return true
    }
}

extension AccountingProgress {
    /// Acct-Session-Time, if it can be true.
    var seconds: UInt32? { sessionSeconds.flatMap { $0 <= SessionFold.secondsLimit ? $0 : nil } }

    /// When the session began, as far as this record tells.
    var estimatedStart: Int64? {
        if status == .start { return time.microseconds - Int64(seconds ?? 0) * 1_000_000 }
        return seconds.map { time.microseconds - Int64($0) * 1_000_000 }
    }

    /// How far `estimatedStart` may be off.
    var tolerance: Int64 {
        time.isStamped || time.isDelayed ? SessionFold.stampedMicroseconds : SessionFold.unstampedMicroseconds
    }

    /// The same for every retransmission, whatever its Acct-Delay-Time, Identifier and authenticator (RFC 2866 §4.1).
    var digest: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in [
            status.rawValue, sessionSeconds ?? .max, upload?.low ?? .max, upload?.gigawords ?? .max, download?.low ?? .max,
            download?.gigawords ?? .max, uploadPackets ?? .max, downloadPackets ?? .max, terminateCause?.rawValue ?? .max,
        ] {
            for shift: UInt32 in [0, 8, 16, 24] { hash = (hash ^ UInt64(value >> shift & 0xff)) &* 0x100_0000_01b3 }
        }
        return hash
    }
}
