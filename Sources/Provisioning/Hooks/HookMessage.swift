/// Some of what a hook is to be told, as it is sent: the same octets at every attempt.
struct HookMessage: Sendable, Equatable {
    let hook: Int64
    /// Of the hook's row: what was changed since is not disabled for an older fault.
    let version: Int64
    let url: String
    /// Sealed.
    let secret: [UInt8]
    /// Made before this one.
    let attempts: Int
    /// Of the first of its events: no other message has it.
    let firstEvent: Int64
    let events: Int
    let body: [UInt8]
    /// Of the hook, for the log.
    let name: String

    /// `webhook-id`.
    var id: String { "msg_\(hook)_\(firstEvent)" }
    /// It goes in clear.
    var isPlain: Bool { !url.hasPrefix("https://") }
}

/// What came of one attempt.
enum HookAnswer: Sendable, Equatable {
    /// `retryAfterSeconds`: what the receiver asks for; 0: nothing.
    case status(Int, retryAfterSeconds: Int64)
    /// Nobody answered, and why; `isTimeout`: in time.
    case silence(String, isTimeout: Bool)
    /// Why it was not sent.
    case failure(String)
}

/// Attempts that nobody answered since the last one that somebody did: of many, the receivers are not to blame.
struct HookSilence {
    /// Of one hook.
    private static let mostAttempts = 3
    private static let mostHooks = 2

    private var attempts: [Int64: Int] = [:]

    /// Whether this node may have no way out, so that another one is to try.
    var isEverywhere: Bool { attempts.count >= Self.mostHooks || attempts.values.contains { $0 >= Self.mostAttempts } }

    mutating func note(_ answer: HookAnswer, of hook: Int64) {
        switch answer {
        case .status: attempts = [:]
        case .silence: attempts[hook, default: 0] += 1
        case .failure: break
        }
    }
}

/// What follows from an answer.
enum HookVerdict: Sendable, Equatable {
    case delivered
    case again(afterMilliseconds: Int64, problem: String)
    /// It goes again soon, as if this attempt had not been.
    case postponed(problem: String)
    /// This message goes no more, the next ones do.
    case dropped(problem: String)
    /// Nothing goes any more until somebody switches the hook on again.
    case disabled(problem: String)

    /// Seconds from one attempt to the next (Standard Webhooks); behind the last one the hook is given up, three days after the first.
    static let pauses: [Int64] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    /// What a receiver may ask for by Retry-After.
    static let longestWish: Int64 = 86_400
    static let postponedMilliseconds: Int64 = 5000
    /// An answer that speaks of the message rather than of the receiver counts from this attempt on, whatever came of those before.
    static let attemptsAtRefused = 3

    /// - Parameters:
    ///   - answer: to the latest attempt.
    ///   - attempts: the number of attempts, with that one.
    ///   - jitter: 0 to 1: how much later than it must be the next one is, so that many do not come at once.
    ///   - stood: this node did something else for so long that an answer which came in time may have been missed.
    init(_ answer: HookAnswer, attempts: Int, jitter: Double, stood: Bool = false) {
        switch answer {
        case .status(200..<300, _): self = .delivered
        case .status(410, _): self = .disabled(problem: "it answered 410: it is gone")
        case .silence(let reason, isTimeout: true) where stood:
            self = .postponed(problem: "\(reason), but this node waited for the database meanwhile")
        case .status(let status, _) where [400, 413, 415, 422].contains(status) && attempts >= Self.attemptsAtRefused:
            self = .dropped(problem: "it answered \(status) at attempt \(attempts), so that message was left out")
        case .status(let status, let wish):
            let note = (300..<400).contains(status) ? ", and redirects are not followed" : ""
            self = Self.later("it answered \(status)\(note)", attempts, wish: wish, jitter)
        case .silence(let reason, _), .failure(let reason): self = Self.later(reason, attempts, wish: 0, jitter)
        }
    }

    private static func later(_ problem: String, _ attempts: Int, wish: Int64, _ jitter: Double) -> HookVerdict {
        guard attempts <= pauses.count else { return .disabled(problem: "\(problem), \(attempts) times in three days") }
        let pause = pauses[max(1, attempts) - 1] * 1000
        let wanted = min(max(0, wish), longestWish) * 1000
        return .again(afterMilliseconds: max(pause, wanted) + Int64(Double(pause) * 0.2 * jitter), problem: problem)
    }
}
