import RadiusCore

/// The life of one session on a simulated NAS. A value without sockets or clock: events go in, what to send comes out.
///
/// All times are milliseconds on a clock that never goes back.
struct SimulatedSession {
    enum State: Equatable {
        case waiting, authenticating, starting, online
        /// Its Stop is sent and not acknowledged yet.
        case stopping
        case closed
        /// Never came online, or accounting stayed without an answer.
        case failed
    }

    /// What the session wants of its NAS.
    enum Action: Equatable {
        case authenticate
        case account(Record)
    }

    /// An accounting record.
    struct Record: Equatable {
        enum Status: UInt32 {
            case start = 1
            case stop = 2
            case interim = 3
        }

        var status: Status
        var seconds: UInt32 = 0
        /// From the subscriber.
        var inputOctets: UInt64 = 0
        /// To the subscriber.
        var outputOctets: UInt64 = 0
        /// RFC 2866 §5.10, only in a Stop.
        var cause: UInt32?
    }

    /// Acct-Terminate-Cause (RFC 2866 §5.10).
    enum Cause {
        static let userRequest: UInt32 = 1
        static let sessionTimeout: UInt32 = 5
        static let adminReset: UInt32 = 6
        static let nasRequest: UInt32 = 10
    }

    let number: Int
    let sessionID: String
    private(set) var userName: [UInt8]
    private(set) var state = State.waiting
    /// In host order: the server's choice, or the NAS's own.
    private(set) var framedIPv4: UInt32
    /// Class of the Access-Accept: every accounting record returns all of them as they came, in order (RFC 2865 §5.25).
    private(set) var classes: [[UInt8]] = []
    private(set) var startedAt = 0
    private(set) var endsAt: Int?
    private(set) var nextInterimAt: Int?
    private var interim: Int?
    private let interimIsFixed: Bool
    private let downloadOctets: UInt64
    private let uploadOctets: UInt64

    init(number: Int, plan: SimulatorPlan) {
        self.number = number
        sessionID = "\(plan.run)-\(number)"
        userName = plan.userNames[number]
        interim = plan.interim
        interimIsFixed = plan.interim != nil
        downloadOctets = plan.downloadOctets
        uploadOctets = plan.uploadOctets
        // 100.64.0.0/10 is for networks of providers (RFC 6598).
        framedIPv4 = 0x6440_0000 | UInt32(truncatingIfNeeded: number + 1) & 0x3f_ffff
    }

    var callingStationID: String {
        let octets = [0x02, 0x00, 0x5e, number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff]
        return octets.map { Hexadecimal.text([UInt8($0)]) }.joined(separator: ":")
    }

    var isLive: Bool { state == .starting || state == .online }
    var isOver: Bool { state == .closed || state == .failed }

    /// Begins the login.
    mutating func begin() -> Action {
        state = .authenticating
        return .authenticate
    }

    /// The server lets the subscriber in: takes what it says and sends Start.
    ///
    /// `attributes`: of the Access-Accept, encoded.
    mutating func accepted(_ attributes: [UInt8], now: Int) -> Action? {
        guard state == .authenticating else { return nil }
        state = .starting
        startedAt = now
        if let name = AttributeOctets.values(AttributeNumber.userName, in: attributes).first { userName = name }
        classes = AttributeOctets.values(AttributeNumber.classAttribute, in: attributes)
        // 255.255.255.254 and .255 let the NAS or the user choose (RFC 2865 §5.8).
        if let address = AttributeOctets.number(AttributeNumber.framedIPAddress, in: attributes), address < 0xffff_fffe {
            framedIPv4 = address
        }
        apply(attributes, now: now)
        return .account(Record(status: .start))
    }

    /// Takes timeouts and intervals of an Access-Accept or a CoA-Request.
    mutating func apply(_ attributes: [UInt8], now: Int) {
        if let timeout = AttributeOctets.number(AttributeNumber.sessionTimeout, in: attributes) {
            endsAt = timeout == 0 ? nil : startedAt + Int(timeout) * 1000
        }
        if !interimIsFixed, let seconds = AttributeOctets.number(AttributeNumber.acctInterimInterval, in: attributes) {
            interim = seconds == 0 ? nil : Int(seconds) * 1000
        }
        nextInterimAt = interim.map { now + $0 }
    }

    mutating func rejected() { state = .failed }

    /// Accounting stayed without an answer. A session that is live goes on: the NAS does not end it for that.
    mutating func unanswered() {
        if state == .authenticating || state == .stopping { state = .failed }
        if state == .starting { state = .online }
    }

    /// The record was acknowledged.
    mutating func acknowledged(_ status: Record.Status) {
        switch status {
        case .start: if state == .starting { state = .online }
        case .interim: break
        case .stop: if state == .stopping { state = .closed }
        }
    }

    /// What is due now.
    mutating func tick(now: Int) -> Action? {
        guard isLive else { return nil }
        if let endsAt, now >= endsAt { return end(Cause.sessionTimeout, now: now) }
        guard state == .online, let due = nextInterimAt, now >= due, let interim else { return nil }
        // A NAS that slept does not send what it missed.
        nextInterimAt = max(due + interim, now)
        return .account(record(.interim, now: now))
    }

    /// Ends the session; nil when it is not live.
    mutating func end(_ cause: UInt32, now: Int) -> Action? {
        guard isLive else { return nil }
        state = .stopping
        nextInterimAt = nil
        endsAt = nil
        var record = record(.stop, now: now)
        record.cause = cause
        return .account(record)
    }

    /// Never begins any more.
    mutating func abandon() {
        if state == .waiting || state == .authenticating { state = .failed }
    }

    /// When something is due.
    var deadline: Int? {
        guard isLive else { return nil }
        return [endsAt, state == .online ? nextInterimAt : nil].compactMap { $0 }.min()
    }

    private func record(_ status: Record.Status, now: Int) -> Record {
        let milliseconds = UInt64(max(0, now - startedAt))
        return Record(
            status: status, seconds: UInt32(clamping: milliseconds / 1000), inputOctets: Self.octets(uploadOctets, milliseconds),
            outputOctets: Self.octets(downloadOctets, milliseconds))
    }

    private static func octets(_ rate: UInt64, _ milliseconds: UInt64) -> UInt64 {
        let (high, low) = rate.multipliedFullWidth(by: milliseconds)
        return high >= 1000 ? .max : UInt64(1000).dividingFullWidth((high, low)).quotient
    }
}
