/// How TEAP is spoken.
public struct EAPTEAPSettings: Sendable, Equatable {
    /// Whom a device has to prove (RFC 9930 §4.2.3).
    public enum Identities: String, Sendable, CaseIterable {
        /// Whom it likes: it is not told.
        case any
        case user, machine
        /// Both, one after the other.
        case machineAndUser = "machine_and_user"
        /// The machine, and a user if there is one.
        case machineThenUser = "machine_then_user"

        /// In the order in which they are asked for; nil asks for neither.
        var order: [EAPTEAPIdentity?] {
            switch self {
            case .any: [nil]
            case .user: [.user]
            case .machine: [.machine]
            case .machineAndUser, .machineThenUser: [.machine, .user]
            }
        }

        /// Whether a device may say to be `type`.
        func allows(_ type: EAPTEAPIdentity) -> Bool { self == .any || order.contains(type) }
    }

    /// What a device may do in the tunnel: `pap` is TEAP's own request for a password, the others are methods of EAP. The first is
    /// proposed.
    public var methods: [EAPInnerMethod]
    public var identities: Identities
    public var schedule: EAPTEAPSchedule

    /// Methods that leave no key are left out: RFC 9930 wants none of them but the request for a password.
    public init(
        methods: [EAPInnerMethod] = [.eapMSCHAPv2, .eapTLS, .pap], identities: Identities = .any, schedule: EAPTEAPSchedule = .rfc9930
    ) {
        (self.methods, self.identities, self.schedule) = (methods, identities, schedule)
    }
}

/// What kind of subscriber proves itself (RFC 9930 §4.2.3).
public enum EAPTEAPIdentity: UInt16, Sendable {
    case user = 1
    case machine = 2
}
