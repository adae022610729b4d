import Database
import Logging
import RadiusCore

/// What the thread of a `HookService` does. Confined to it.
final class HookLoop {
    private static let pollMilliseconds: Int64 = 250
    private static let turnMilliseconds: Int64 = 1000
    private static let figuresMilliseconds: Int64 = 10_000
    /// From one count of all queues to the next.
    private static let countMilliseconds: Int64 = 3000
    /// A round that takes longer than this may have cost transfers their time.
    private static let longMilliseconds: Int64 = 1000
    /// For others, which look for the turn every second, to take it.
    private static let restMilliseconds: Int64 = 5000
    private static let turnKey = "hashtextextended('lastmile.hooks', 0)"

    private let service: HookService
    private let transfers: WebhookTransfers
    private var connection: Connection?
    private var hasTurn = false
    /// Attempts that came to an end, which the database does not know yet.
    private var ended: [(message: HookMessage, verdict: HookVerdict)] = []
    private var silence = HookSilence()
    private var lookedAt = Int64.min / 2
    private var figuredAt = Int64.min / 2
    private var countedAt = Int64.min / 2
    /// The hook whose queue was counted last; 0 when all were.
    private var counted: Int64 = 0
    private var stoodUntil = Int64.min / 2
    private var restsUntil = Int64.min / 2

    init(_ service: HookService, _ transfers: WebhookTransfers) {
        self.service = service
        self.transfers = transfers
    }

    /// Until the service's thread is told to end.
    func run() {
        while !service.thread.isStopping {
            let began = WallClock.monotonicMilliseconds
            withDatabase { try round($0) }
            let now = WallClock.monotonicMilliseconds
            if now - began >= Self.longMilliseconds { stoodUntil = now }
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
            var before: String?
            service.note { before = $0.lastError.take() }
            if before != nil { service.logger.notice("hooks are told of log-ins again") }
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
        if now - figuredAt >= Self.figuresMilliseconds {
            figuredAt = now
            let figures = try HookStore(connection: connection).figures()
            service.note { $0.figures = figures }
        }
        guard hadNews || now - lookedAt >= Self.pollMilliseconds else { return }
        lookedAt = now
        try takeTurn(connection, now)
        guard hasTurn else { return }
        let room = silence.isEverywhere ? 0 : WebhookTransfers.limit - transfers.count
        if room > 0 {
            for message in try HookStore(connection: connection).begin(besides: transfers.hooks, atMost: room) { start(message) }
        }
        try count(connection, now)
    }

    /// Keeps what came of attempts.
    private func settle(_ connection: Connection) throws {
        while let (message, verdict) = ended.first {
            let isOff = try HookStore(connection: connection).settle(message, verdict)
            ended.removeFirst()
            guard case .disabled(let problem) = verdict else { continue }
            service.note { state in
                if isOff { state.disabled += 1 } else { state.failed += 1 }
            }
            if isOff { service.logger.error("the hook \(message.name) is switched off", metadata: ["reason": "\(problem)"]) }
        }
    }

    /// Takes the turn when nobody has it. Leaves it for a while when nobody answers, once nothing is under way.
    private func takeTurn(_ connection: Connection, _ now: Int64) throws {
        if hasTurn, silence.isEverywhere, transfers.count == 0 {
            try connection.execute("SELECT pg_advisory_unlock(\(Self.turnKey))")
            (hasTurn, restsUntil, silence) = (false, now + Self.restMilliseconds, HookSilence())
            service.logger.warning("nobody answers to hooks, so another node may try")
        } else if !hasTurn, now >= restsUntil {
            hasTurn = try connection.queryOne("SELECT pg_try_advisory_lock(\(Self.turnKey))")?.bool(0) ?? false
            silence = HookSilence()
        }
        let hasTurn = hasTurn
        service.note { $0.hasTurn = hasTurn }
    }

    /// Counts some of the queues, for whoever wants to know how full they are.
    private func count(_ connection: Connection, _ now: Int64) throws {
        guard counted != 0 || now - countedAt >= Self.countMilliseconds else { return }
        if counted == 0 { countedAt = now }
        do {
            counted = try HookStore(connection: connection).count(after: counted, upTo: HookQueue.limit)
        } catch let error as DatabaseError where !error.isConnectionLoss {
            counted = 0
            service.logger.warning("what waits for hooks is not counted", metadata: ["reason": "\(error)"])
        }
    }

    private func start(_ message: HookMessage) {
        guard let clear = try? service.open(message.secret), let secret = WebhookSecret(String(decoding: clear, as: UTF8.self)) else {
            return conclude(message, .failure("its secret cannot be opened; give it a new one"))
        }
        let transfer = WebhookTransfer(message, signedWith: secret, service.reach, now: WallClock.microseconds / 1_000_000)
        guard let transfer, transfers.start(transfer) else { return conclude(message, .failure("there is no memory to send it")) }
    }

    private func conclude(_ message: HookMessage, _ answer: HookAnswer) {
        silence.note(answer, of: message.hook)
        let stood = WallClock.monotonicMilliseconds - stoodUntil <= Int64(WebhookTransfer.seconds) * 1000
        let verdict = HookVerdict(answer, attempts: message.attempts + 1, jitter: .random(in: 0..<1), stood: stood)
        ended.append((message, verdict))
        service.note { state in
            switch verdict {
            case .delivered: state.delivered += 1
            case .again, .postponed: state.failed += 1
            case .dropped: state.dropped += 1
            // Only the database knows whether it still holds.
            case .disabled: break
            }
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
