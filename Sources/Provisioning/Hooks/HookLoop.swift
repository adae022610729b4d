import Database
import Logging
import RadiusCore

/// What the thread of a `HookService` does. Confined to it.
final class HookLoop {
    private static let pollMilliseconds: Int64 = 250
    private static let turnMilliseconds: Int64 = 1000
    private static let figuresMilliseconds: Int64 = 10_000

    private let service: HookService
    private let transfers: WebhookTransfers
    private var connection: Connection?
    private var hasTurn = false
    /// Attempts that came to an end, which the database does not know yet.
    private var ended: [(message: HookMessage, verdict: HookVerdict)] = []
    private var lookedAt = Int64.min / 2
    private var countedAt = Int64.min / 2

    init(_ service: HookService, _ transfers: WebhookTransfers) {
        self.service = service
        self.transfers = transfers
    }

    /// Until the service's thread is told to end.
    func run() {
        while !service.thread.isStopping {
            withDatabase { try round($0) }
            let pause = hasTurn ? Self.pollMilliseconds : Self.turnMilliseconds
            for (message, answer) in transfers.wait(milliseconds: Int(pause)) { conclude(message, answer) }
        }
        if !ended.isEmpty { withDatabase { try settle($0) } }
        connection?.close()
    }

    private func withDatabase(_ body: (Connection) throws -> Void) {
        do {
            let working = try connection ?? Connection.open(service.configuration)
            connection = working
            try body(working)
            service.note { $0.lastError = nil }
        } catch {
            // The turn ends with the connection.
            connection?.close()
            (connection, hasTurn) = (nil, false)
            report("\(error)")
        }
    }

    private func round(_ connection: Connection) throws {
        let hadNews = !ended.isEmpty
        try settle(connection)
        let now = WallClock.monotonicMilliseconds
        if now - countedAt >= Self.figuresMilliseconds {
            countedAt = now
            let figures = try HookStore(connection: connection).figures()
            service.note { $0.figures = figures }
        }
        guard hadNews || now - lookedAt >= Self.pollMilliseconds else { return }
        lookedAt = now
        try takeTurn(connection)
        let room = WebhookTransfers.limit - transfers.count
        guard hasTurn, room > 0 else { return }
        for message in try HookStore(connection: connection).begin(besides: transfers.hooks, atMost: room) { start(message) }
    }

    private func settle(_ connection: Connection) throws {
        while let (message, verdict) = ended.first {
            try HookStore(connection: connection).settle(message, verdict)
            ended.removeFirst()
        }
    }

    private func takeTurn(_ connection: Connection) throws {
        if !hasTurn {
            hasTurn = try connection.queryOne("SELECT pg_try_advisory_lock(hashtextextended('lastmile.hooks', 0))")?.bool(0) ?? false
        }
        let hasTurn = hasTurn
        service.note { $0.hasTurn = hasTurn }
    }

    private func start(_ message: HookMessage) {
        guard let clear = try? service.open(message.secret), let secret = WebhookSecret(String(decoding: clear, as: UTF8.self)) else {
            return conclude(message, .failure("its secret cannot be opened; give it a new one"))
        }
        let transfer = WebhookTransfer(message, signedWith: secret, service.reach, now: WallClock.microseconds / 1_000_000)
        guard let transfer, transfers.start(transfer) else { return conclude(message, .failure("there is no memory to send it")) }
    }

    private func conclude(_ message: HookMessage, _ answer: HookAnswer) {
        let verdict = HookVerdict(answer, attempts: message.attempts + 1, jitter: .random(in: 0..<1))
        ended.append((message, verdict))
        service.note { state in
            switch verdict {
            case .delivered: state.delivered += 1
            case .again: state.failed += 1
            case .dropped: state.dropped += 1
            case .disabled: state.disabled += 1
            }
        }
        if case .disabled(let problem) = verdict {
            service.logger.error("hook \(message.hook) is switched off", metadata: ["reason": "\(problem)"])
        }
    }

    private func report(_ text: String) {
        var isNew = false
        service.note { state in
            isNew = state.lastError != text
            (state.lastError, state.hasTurn) = (text, false)
        }
        if isNew { service.logger.error("hooks are not told of log-ins: \(text)") }
    }
}
