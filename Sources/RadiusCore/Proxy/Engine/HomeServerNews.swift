/// What became of home servers since the last look, for the log: each change once, and of one that changes all the time only so much.
public struct HomeServerNews: Sendable {
    /// A line of the log.
    public struct Item: Sendable, Equatable {
        /// Its name.
        public let server: String
        /// It is alive again, or tried again; all else is a warning.
        public let isGood: Bool
        /// What happened, and what to do.
        public let sentence: String
    }

    private struct Known {
        var state = HomeServerLiveness.State.alive
        /// Why there was no connection, since it was alive last.
        var failures: Set<String> = []
        /// The replies that had come when it was found to be gone.
        var answers: UInt64 = 0
        var hasToldOfMissing = false
        /// Since `roundsOfCalm` began.
        var lines = 0
    }

    /// Lines for one home server in so many looks.
    static let lineLimit = 10
    static let roundsOfCalm = 200
    private var known: [Int64: Known] = [:]
    private var round = 0

    public init() {}

    /// Compares what is with what was at the look before; before the first all were alive.
    public mutating func look(at reports: [ProxyService.HomeServerReport]) -> [Item] {
        round += 1
        let isFresh = round % Self.roundsOfCalm == 0
        let present = Set(reports.map(\.server.id))
        known = known.filter { present.contains($0.key) }
        return reports.flatMap { report -> [Item] in
            var was = known[report.server.id] ?? Known()
            if isFresh { was.lines = 0 }
            let items = Self.look(at: report, &was)
            known[report.server.id] = was
            return items
        }
    }

    /// What there was no room to tell is told when there is, if it still is so.
    private static func look(at report: ProxyService.HomeServerReport, _ was: inout Known) -> [Item] {
        let (server, meter) = (report.server, report.meter)
        let (state, answers) = (meter.state, Self.answers.reduce(UInt64(0)) { $0 + meter[$1] })
        var items: [Item] = []
        func tell(_ sentence: String, isGood: Bool = false) -> Bool {
            guard was.lines < lineLimit else { return false }
            was.lines += 1
            items.append(Item(server: server.name, isGood: isGood, sentence: sentence))
            return true
        }
        let wasGone = was.state != .alive || !was.failures.isEmpty
        if !wasGone { was.answers = answers }
        if let failure = meter.connectionFailure {
            let isKnown = was.failures.contains(failure) || was.failures.count >= lineLimit
            if isKnown || tell("there is no connection to home server \(server.name): \(failure)") {
                if !isKnown { was.failures.insert(failure) }
                was.state = state
            }
        } else if state != .alive, state != was.state {
            if tell("home server \(server.name) does not answer: \(ofSilent(server, state))") { was.state = state }
        } else if state == .alive, wasGone {
            // Time alone brings back one that may not know Status-Server.
            let sentence = answers > was.answers ? "is alive again" : "is tried again"
            if tell("home server \(server.name) \(sentence)", isGood: true) { (was.state, was.failures) = (.alive, []) }
        }
        if !was.hasToldOfMissing, meter[.messageAuthenticatorMissing] > 0 {
            was.hasToldOfMissing = true
            // Once, and so whatever room there is.
            let sentence = "dropped a reply of home server \(server.name) without Message-Authenticator: \(ofMissing(server))"
            items.append(Item(server: server.name, isGood: false, sentence: sentence))
        }
        return items
    }

    /// What shows that it is there.
    private static let answers: [HomeServerCounter] = [
        .accepts, .rejects, .challenges, .accountingResponses, .protocolErrors, .statusAnswers,
    ]

    private static func ofSilent(_ server: HomeServer, _ state: HomeServerLiveness.State) -> String {
        guard state == .dead else { return "it is asked only where no other is alive" }
        return server.usesStatusServer
            ? "it is dead, and asked by Status-Server only, until it answers"
            : "it is dead, and asked again after \(server.timing.reviveSeconds) s"
    }

    private static func ofMissing(_ server: HomeServer) -> String {
        server.requiresMessageAuthenticator
            ? "anybody on the way could have made it (CVE-2024-3596). Update it, or if it cannot do better, "
                + "`lastmile home-server update \(server.name) --require-message-authenticator false`"
            : "with EAP it must have one"
    }
}
