internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// A body without an end, and who watches that somebody reads it: a caller who takes nothing must not hold its place for ever, nor the
/// stop of the daemon.
final class StreamedBody: @unchecked Sendable {
    // Guard: `writer` is used by the one task that writes; the watching task looks at `waitingSince` alone.
    private var writer: any ResponseBodyWriter
    /// When the write that is not taken yet began, in milliseconds since `started`; 0: none.
    private let waitingSince = Atomic<Int64>(0)
    private let started = ContinuousClock.now

    /// How long one write may wait, and its octets.
    private static let patienceMilliseconds: Int64 = 10_000
    private static let pieceOctets = 1 << 16

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// The reader took nothing for too long; the connection is closed.
    struct Stalled: Error {}

    /// Runs `stream` until it ends.
    ///
    /// - Throws: what it throws, and `Stalled`.
    func run(_ stream: @escaping @Sendable (_ write: (_ octets: [UInt8]) async throws -> Void) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await stream { octets in try await self.write(octets) } }
            group.addTask { try await self.watch() }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    private func write(_ octets: [UInt8]) async throws {
        var rest = octets[...]
        while !rest.isEmpty {
            waitingSince.store(max(1, now), ordering: .relaxed)
            try await writer.write(ByteBuffer(bytes: rest.prefix(Self.pieceOctets)))
            try Task.checkCancellation()
            waitingSince.store(0, ordering: .relaxed)
            rest = rest.dropFirst(Self.pieceOctets)
        }
    }

    /// Ends with an error once a write waits too long; else only when it is cancelled.
    private func watch() async throws {
        while true {
            try await Task.sleep(for: .milliseconds(500))
            let since = waitingSince.load(ordering: .relaxed)
            if since > 0, now - since > Self.patienceMilliseconds { throw Stalled() }
        }
    }

    private var now: Int64 {
        let elapsed = ContinuousClock.now - started
        return elapsed.components.seconds * 1000 + elapsed.components.attoseconds / 1_000_000_000_000_000
    }
}
