import Admin
import DaemonSettings
import Provisioning
import RadiusCore
import Synchronization

/// The flight recorder as the interface reads it.
extension Parts {
    /// One lane for each thread that answers, of UDP and of connections.
    static func recorder(_ settings: Settings, cores: Int) -> FlightRecorder {
        let transports = settings.transports
        let hasStreams = transports.hasTCP || transports.certificatePath != nil
        let streams = !hasStreams ? 0 : transports.threads == 0 ? max(1, cores / 2) : transports.threads
        return FlightRecorder(
            memoryOctets: settings.recorderBytes, workers: (settings.radiusWorkers == 0 ? cores : settings.radiusWorkers) + streams)
    }

    /// - Throws: `ServiceFailure` when there is no recorder.
    func openTrace(_ tenant: Int64, _ wish: TraceWish) throws -> TraceReader {
        guard let recorder = server?.environment.recorder else {
            throw ServiceFailure.refused("this node has not the role aaa; ask one that answers RADIUS")
        }
        guard recorder.memoryOctets > 0 else {
            throw ServiceFailure.refused("nothing is recorded: radius.recorder.bytes is 0")
        }
        let filter = Self.filter(wish, tenant, feed.store.snapshot)
        let reading = TraceReading()
        return TraceReader { [self] in
            if isStopping { return nil }
            let snapshot = feed.store.snapshot
            let (records, missed) = reading.next(of: recorder, filter, last: wish.last)
            return .init(transactions: records.map { TransactionJSON.text(TransactionReport($0, in: snapshot)) }, missed: missed)
        }
    }

    private static func filter(_ wish: TraceWish, _ tenant: Int64, _ snapshot: Snapshot) -> FlightFilter {
        var filter = FlightFilter(tenant: tenant)
        filter.nas = wish.nas
        if var user = wish.user {
            filter.userName = Array(user.utf8)
            filter.subscriber =
                user.withUTF8 { snapshot.subscribers.find(tenant: tenant, name: UnsafeRawBufferPointer($0)) }?.id ?? 0
        }
        filter.station = wish.station.map { Array($0.utf8) }
        return filter
    }
}

/// How far one caller has read.
private final class TraceReading: Sendable {
    private let cursor = Mutex<FlightCursor?>(nil)
    /// Of each ring in one portion; the rest comes with the next.
    private static let portion = 500

    func next(of recorder: FlightRecorder, _ filter: FlightFilter, last: Int) -> (records: [FlightRecord], missed: UInt64) {
        cursor.withLock { cursor in
            guard var known = cursor else {
                let past = recorder.last(last, filter)
                cursor = past.cursor
                return (past.records, 0)
            }
            defer { cursor = known }
            return recorder.next(&known, limit: Self.portion, filter)
        }
    }
}

/// A transaction as the API gives it.
enum TransactionJSON {
    static func text(_ report: TransactionReport) -> String {
        let value: JSON = [
            "at": .string(report.at),
            "nas": .string(report.nas),
            "peer": .string(report.peer),
            "transport": .string(report.isStream ? "stream" : "udp"),
            "username": .string(report.userName),
            "subscriber": report.subscriber == 0 ? .null : .number("\(report.subscriber)"),
            "outcome": .string(report.outcome),
            "reason": .string(report.reason),
            "sentence": .string(report.sentence),
            "method": .string(report.method),
            "duration_microseconds": .number("\(report.durationMicroseconds)"),
            "delayed": .boolean(report.isDelayed),
            "request": packet(report.request),
            "reply": report.reply.map(packet) ?? .null,
        ]
        return String(decoding: value.bytes, as: UTF8.self)
    }

    private static func packet(_ packet: TransactionReport.Packet) -> JSON {
        [
            "code": .string(packet.code), "id": .number("\(packet.identifier)"), "octets": .number("\(packet.octets)"),
            "attributes": .array(packet.attributes.map { ["name": .string($0.name), "value": .string($0.value)] }),
            "malformed": packet.malformed.map(JSON.string) ?? .null,
        ]
    }
}
