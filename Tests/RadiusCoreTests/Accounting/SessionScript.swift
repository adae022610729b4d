import Support

@testable import RadiusCore

/// How a NAS sends Gigawords.
enum GigawordsHabit: CaseIterable, Sendable {
    case always, never, whenNotZero

    func counter(_ octets: UInt64) -> AccountingProgress.Counter {
        let high = UInt32(octets >> 32)
        let low = UInt32(truncatingIfNeeded: octets)
        switch self {
        case .always: return AccountingProgress.Counter(low: low, gigawords: high)
        case .never: return AccountingProgress.Counter(low: low)
        case .whenNotZero: return AccountingProgress.Counter(low: low, gigawords: high == 0 ? nil : high)
        }
    }
}

/// The records of one session as a NAS sends them, and what they amount to.
struct SessionScript {
    static let start: Int64 = 1_700_000_000_000_000

    var records: [AccountingProgress] = []
    var upload: UInt64 = 0
    var download: UInt64 = 0
    var seconds: UInt32 = 0

    /// Start, `interims` Interim-Updates and Stop, with fewer than 2^32 octets between two of them.
    init(interims: Int, habit: GigawordsHabit, using random: inout SeededGenerator) {
        records.append(Self.record(.start, atSeconds: 0))
        for number in 1...interims + 1 {
            upload += UInt64.random(in: 1...3_000_000_000, using: &random)
            download += UInt64.random(in: 1...4_200_000_000, using: &random)
            seconds += UInt32.random(in: 60...900, using: &random)
            var record = Self.record(number > interims ? .stop : .interimUpdate, atSeconds: seconds)
            record.sessionSeconds = seconds
            record.upload = habit.counter(upload)
            record.download = habit.counter(download)
            if record.status == .stop { record.terminateCause = .lostCarrier }
            records.append(record)
        }
    }

    static func record(_ status: AcctStatus, atSeconds seconds: UInt32, isStamped: Bool = true) -> AccountingProgress {
        let event = start + Int64(seconds) * 1_000_000
        let stamp = isStamped ? UInt32(event / 1_000_000) : nil
        return AccountingProgress(
            status: status, time: EventTime(receivedMicroseconds: event + 40_000, eventTimestamp: stamp))
    }
}

/// A fold, and the sum of all effects that it reported.
struct FoldedSession {
    private(set) var fold: SessionFold?
    private(set) var effects: [SessionEffect] = []
    var upload: UInt64 { effects.reduce(0) { $0 + $1.upload } }
    var download: UInt64 { effects.reduce(0) { $0 + $1.download } }
    var seconds: UInt64 { effects.reduce(0) { $0 + $1.seconds } }
    var kinds: [SessionEffect.Kind] { effects.map(\.kind) }

    init(_ records: [AccountingProgress]) {
        for record in records { apply(record) }
    }

    /// Applies through the stored form, as the database does between two batches.
    mutating func apply(_ record: AccountingProgress) {
        guard let before = fold else {
            let (opened, effect) = SessionFold.opened(by: record)
            fold = opened
            effects.append(effect)
            return
        }
        var restored = before.restored
        effects.append(restored.apply(record))
        fold = restored
    }
}

extension SessionFold {
    var restored: SessionFold { restored(from: stateOctets) }

    func restored(from state: [UInt8]) -> SessionFold {
        SessionFold(
            restoring: Columns(
                startedMicroseconds: startedMicroseconds, updatedMicroseconds: updatedMicroseconds,
                stoppedMicroseconds: stoppedMicroseconds, ending: ending, terminateCause: terminateCause, upload: upload.total,
                download: download.total, seconds: seconds, heardMicroseconds: heardMicroseconds), state: state)
    }
}
