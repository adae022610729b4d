import Support
import Synchronization
import Testing

/// The states that one subscriber goes through, each added before it is asked for; and a NAS that sees to it that every answer is one
/// of them, and that none comes back once a later one was seen.
final class Timeline: Sendable {
    let user: String
    private let states: Mutex<[LoginClient.Reply]>
    private let isEnding = Atomic<Bool>(false)

    /// - Parameters:
    ///   - user: who logs in, always with the same password.
    ///   - first: what a login gets now.
    init(_ user: String, _ first: LoginClient.Reply) {
        self.user = user
        states = Mutex([first])
    }

    /// Adds the state that the next change leads to.
    func expect(_ next: LoginClient.Reply) { states.withLock { $0.append(next) } }

    /// What `watch` saw.
    struct Watched: Sendable {
        var answers = 0
        /// In words, the first ones.
        var faults: [String] = []
        /// States that were seen, of all there were.
        var seen = 0
    }

    /// Logs in again and again, over sockets that different workers serve, until `end`; then until the last state is in force.
    func watch(_ daemon: DaemonProcess) async throws -> Watched {
        let port = daemon.authenticationPort
        return try await onOwnThread { [self] in
            let peers = try (0..<4).map { _ in try DatagramPeer(port: port) }
            var watched = Watched()
            var place = 0
            try eventuallyBlockingWhile({ !isEnding.load(ordering: .acquiring) }) {
                let peer = peers[watched.answers % peers.count]
                let reply = try LoginClient.exchange(peer, user, TestSubscriber.password)
                watched.answers += 1
                let all = states.withLock { $0 }
                if let found = all[place...].firstIndex(of: reply) {
                    if found > place { watched.seen += 1 }
                    place = found
                } else if watched.faults.count < 3 {
                    watched.faults.append("\(user) got \(reply) after \(all[place]), state \(place + 1) of \(all.count)")
                }
                // States that look alike may have gone by unseen, so that their place in the row says nothing.
                return reply == all[all.count - 1]
            }
            return watched
        }
    }

    /// No state is added any more.
    func end() { isEnding.store(true, ordering: .releasing) }
}

/// Repeats `body` while `isGoingOn`, and then until it says that all is done, for a minute at most.
private func eventuallyBlockingWhile(_ isGoingOn: () -> Bool, _ body: () throws -> Bool) throws {
    while isGoingOn() { _ = try body() }
    try eventuallyBlocking(body)
}
