/// What responders said of certificates, and who waits to ask which of them. A value; the service guards it.
struct OCSPMemory {
    /// What is known of a certificate.
    enum Status: Equatable {
        case good, revoked, unknown, unreachable
        /// Somebody is being asked.
        case pending(OCSPInquiry)
    }

    private struct Answer {
        let subject: OCSPSubject
        let status: Status
        /// The answer counts until then; what is refused then is refused on until somebody says otherwise.
        let endNanoseconds: UInt64
    }

    /// Inquiries to one responder.
    private struct Lane {
        var waiting = FairQueue<OCSPInquiry>(limit: OCSPMemory.waitingLimit, share: OCSPMemory.waitingLimit)
        var running = 0
        /// When its turn was last, in turns of all.
        var turn: UInt64 = 0
    }

    /// Inquiries that wait or are on their way.
    static let waitingLimit = 4096
    /// Inquiries to one responder that are on their way: fewer than there are threads, so that a slow one leaves some to others.
    static let laneLimit = 4
    /// Answers that are remembered; beyond it those that ended go, then all.
    static let answerLimit = 65_536
    /// How long a responder is left alone that did not answer, and a certificate of which nothing is known.
    static let pauseNanoseconds: UInt64 = 10_000_000_000

    private(set) var statistics = OCSPService.Statistics()
    private var answers: [[UInt8]: Answer] = [:]
    private var open: [[UInt8]: OCSPInquiry] = [:]
    private var lanes: [String: Lane] = [:]
    private var turns: UInt64 = 0
    /// Responders that did not answer, and until when they are not asked.
    private var paused: [String: UInt64] = [:]
    /// One for all certificates of an issuer: what devices send of it is as long as their own.
    private var issuers: [[UInt8]: OCSPIssuer] = [:]

    /// What is known of a certificate; what is not known, `url` is to be asked.
    mutating func status(of subject: OCSPSubject, url: String?, at now: UInt64) -> Status {
        if let answer = answers[subject.identifier], now < answer.endNanoseconds { return answer.status }
        if let inquiry = open[subject.identifier] { return .pending(inquiry) }
        let subject = shared(subject)
        guard let url else {
            return unasked(subject, "a certificate names no OCSP responder, and eap.tls.ocsp_responder is empty", at: now)
        }
        guard !isPaused(url, at: now) else { return unasked(subject, nil, at: now) }
        guard open.count < Self.waitingLimit else {
            return unasked(subject, "\(Self.waitingLimit) certificates wait for OCSP responders", at: now)
        }
        let inquiry = OCSPInquiry(subject, url)
        _ = lanes[url, default: Lane()].waiting.append(inquiry, for: 0)
        open[subject.identifier] = inquiry
        statistics.waiting = open.count
        return .pending(inquiry)
    }

    /// A certificate that was asked about before, by its identifier, so that it can be again; nil when it is forgotten.
    func subject(_ identifier: [UInt8]) -> OCSPSubject? { answers[identifier]?.subject }

    /// The next to be asked, of the responder that has the fewest on their way, and of these the one that had no turn for longest; nil when
    /// none is.
    mutating func take() -> OCSPInquiry? {
        let ready = lanes.filter { $0.value.waiting.count > 0 && $0.value.running < Self.laneLimit }
        guard let url = ready.min(by: { ($0.value.running, $0.value.turn) < ($1.value.running, $1.value.turn) })?.key else { return nil }
        turns += 1
        lanes[url]?.running += 1
        lanes[url]?.turn = turns
        return lanes[url]?.waiting.removeFirst()
    }

    func isPaused(_ url: String, at now: UInt64) -> Bool { paused[url].map { now < $0 } ?? false }

    /// Ends an inquiry that was taken: with what was said, or nil where nobody was asked. An answer counts for `keptSeconds` at most.
    mutating func settle(_ inquiry: OCSPInquiry, _ answer: OCSPSubject.Answer?, keptSeconds: Int64, at now: UInt64) {
        release(inquiry)
        switch answer {
        case .good(let seconds):
            statistics.good += 1
            note(inquiry.subject, .good, until: now + UInt64(max(1, min(keptSeconds, seconds ?? keptSeconds))) * 1_000_000_000, at: now)
        case .revoked:
            statistics.revoked += 1
            note(inquiry.subject, .revoked, until: now + UInt64(keptSeconds) * 1_000_000_000, at: now)
        case .unknown:
            statistics.unknown += 1
            // It may be new, and the responder about to hear of it.
            note(inquiry.subject, .unknown, until: now + Self.pauseNanoseconds, at: now)
        case .useless, .unreachable, nil:
            statistics.unreachable += 1
            noteSilence(about: inquiry.subject, until: now + Self.pauseNanoseconds, at: now)
        }
        judge(inquiry.url, answer, at: now)
    }

    private mutating func release(_ inquiry: OCSPInquiry) {
        open[inquiry.subject.identifier] = nil
        statistics.waiting = open.count
        guard let lane = lanes[inquiry.url] else { return }
        lanes[inquiry.url]?.running -= 1
        if lane.running == 1, lane.waiting.count == 0 { lanes[inquiry.url] = nil }
    }

    /// Only one that says nothing is left alone: what it says of one certificate is no reason not to ask it about others.
    private mutating func judge(_ url: String, _ answer: OCSPSubject.Answer?, at now: UInt64) {
        switch answer {
        case nil: break
        case .unreachable(let reason):
            statistics.failure = reason
            // Certificates name responders, so their number is not ours to choose.
            if paused.count >= 64 { paused = [:] }
            paused[url] = now + Self.pauseNanoseconds
        case .useless(let reason):
            statistics.failure = reason
            paused[url] = nil
        case .good, .revoked, .unknown:
            statistics.failure = nil
            paused[url] = nil
        }
    }

    /// Nobody is asked; nil where the reason is known already.
    private mutating func unasked(_ subject: OCSPSubject, _ reason: String?, at now: UInt64) -> Status {
        statistics.unreachable += 1
        if let reason { statistics.failure = reason }
        noteSilence(about: subject, until: now, at: now)
        return answers[subject.identifier]?.status ?? .unreachable
    }

    /// That nobody says anything now does not make a revoked certificate good.
    private mutating func noteSilence(about subject: OCSPSubject, until end: UInt64, at now: UInt64) {
        note(subject, answers[subject.identifier]?.status == .revoked ? .revoked : .unreachable, until: end, at: now)
    }

    private mutating func note(_ subject: OCSPSubject, _ status: Status, until end: UInt64, at now: UInt64) {
        if answers[subject.identifier] == nil {
            if answers.count >= Self.answerLimit { answers = answers.filter { now < $0.value.endNanoseconds } }
            if answers.count >= Self.answerLimit { answers = [:] }
        }
        answers[subject.identifier] = Answer(subject: subject, status: status, endNanoseconds: end)
    }

    private mutating func shared(_ subject: OCSPSubject) -> OCSPSubject {
        if let issuer = issuers[subject.issuer.identifier], issuer.trust === subject.issuer.trust { return subject.issued(by: issuer) }
        if issuers.count >= 64 { issuers = [:] }
        issuers[subject.issuer.identifier] = subject.issuer
        return subject
    }
}
