/// A condition of the policy language over what is kept of a login once it is answered.
///
/// Immutable. Any thread, but not the packet path: it allocates.
public struct LoginCondition: Sendable {
    /// Why a condition cannot be used: with line and column, and what would be possible.
    public struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    private let program: PolicyProgram

    /// - Parameters:
    ///   - text: the condition; empty holds always.
    ///   - dictionary: explains names and values.
    ///   - zone: for `time.*`.
    /// - Throws: the first thing that is wrong, one that can never hold included.
    public init(_ text: String, dictionary: RadiusDictionary, zone: ZoneOffsets = .utc) throws(Fault) {
        var rule = PolicyRule(id: 0, name: "", priority: 0)
        rule.condition = text
        rule.outcome = .reject
        let (program, faults) = PolicyCompiler.compile([rule], dictionary: dictionary, zone: zone)
        guard let program else { throw Fault(description: faults.first?.reason ?? "the condition cannot be used") }
        if let test = program.tests.first(where: { !$0.subject.source.isKeptOfLogins }) {
            let error = RuleError(
                test,
                "this is not kept of a login that was answered; there are User-Name, Calling-Station-Id, NAS-Port-Id, subscriber.name and "
                    + "subscriber.realm (which come from User-Name), nas.name, nas.huntgroup, nas.vendor, login.method and time.*")
            throw Fault(description: error.description)
        }
        if let fault = RuleReach.faults(program.compiled).first { throw Fault(description: fault.reason) }
        self.program = program
    }

    /// Whether it holds for a login. Of a NAS that is gone nothing is known.
    public func holds(for login: AuthEventRing.Entry, in snapshot: Snapshot) -> Bool {
        if program.tests.isEmpty { return true }
        let packet = Self.packet(login)
        let client = snapshot.clients.rows.find(id: login.event.nas)
        var scratch = PolicyScratch()
        return login.userName.withUnsafeBytes { name in
            packet.withUnsafeBufferPointer { packet in
                guard let start = packet.baseAddress else { return false }
                let asked = PolicyLogin(
                    kept: start, count: packet.count, userName: name, from: client, at: IPAddress(high: 0, low: 0),
                    method: AuthenticationMethod(rawValue: login.event.method) ?? .none, microseconds: login.event.atMicroseconds)
                withExtendedLifetime(snapshot) { scratch.run(program, asked) }
                return scratch.outcome.refusal == .policyRejected
            }
        }
    }

    /// A header and what is kept of the attributes. No value is longer than an attribute's may be.
    private static func packet(_ login: AuthEventRing.Entry) -> [UInt8] {
        var packet = [UInt8](repeating: 0, count: PacketHeader.count)
        let attributes = [
            (AttributeNumber.userName, login.userName), (AttributeNumber.callingStationID, login.callingStation),
            (AttributeNumber.nasPortID, login.nasPortID),
        ]
        for (number, value) in attributes where !value.isEmpty { packet += [number, UInt8(value.count + 2)] + value }
        return packet
    }
}

extension RuleSource {
    /// An `AuthEventRing.Entry` tells it, or the NAS that it names.
    fileprivate var isKeptOfLogins: Bool {
        switch self {
        case .attribute(let number, _):
            [AttributeNumber.userName, AttributeNumber.callingStationID, AttributeNumber.nasPortID].contains(number)
        case .subscriberName, .subscriberRealm, .nasName, .nasHuntgroup, .nasVendor, .method, .timeOfDay, .weekday, .date: true
        case .vendor, .subscriberProfile, .subscriberStatus, .subscriberLevel, .nasAddress: false
        }
    }
}
