internal import Synchronization

/// A question to a responder, on its way. Any thread.
public final class OCSPInquiry: Sendable, Equatable {
    let subject: OCSPSubject
    let url: String
    private struct State {
        var isDone = false
        var waiting: [@Sendable () -> Void] = []
    }
    private let state = Mutex(State())
    /// Who may wait for one answer.
    static let waitingLimit = 1024

    init(_ subject: OCSPSubject, _ url: String) {
        self.subject = subject
        self.url = url
    }

    /// Calls `body` once there is an answer, or that there is none: now, or on a thread that shall not be held up.
    ///
    /// - Returns: false, and nothing is called, when too many wait already.
    func whenDone(_ body: @escaping @Sendable () -> Void) -> Bool {
        let (isDone, isTaken) = state.withLock { state in
            guard !state.isDone, state.waiting.count < Self.waitingLimit else { return (state.isDone, state.isDone) }
            state.waiting.append(body)
            return (false, true)
        }
        if isDone { body() }
        return isTaken
    }

    func finish() {
        let waiting = state.withLock { state in
            state.isDone = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for body in waiting { body() }
    }

    public static func == (left: OCSPInquiry, right: OCSPInquiry) -> Bool { left === right }
}
