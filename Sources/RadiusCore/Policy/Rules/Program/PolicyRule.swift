/// A rule as an operator keeps it: when it holds, and what then happens.
public struct PolicyRule: Hashable, Sendable {
    /// What becomes of the rules behind one that holds.
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        /// They are looked at, too.
        case proceed = "continue"
        /// They are not looked at.
        case stop
        /// The login is refused.
        case reject
    }

    /// Rules of one tenant, at most.
    public static let limit = 512

    public var id: Int64
    public var name: String
    /// The lowest is looked at first; among equal ones the lower id.
    public var priority: Int
    /// Empty: always.
    public var condition = ""
    public var outcome: Outcome = .proceed
    /// Attributes of the reply that these replace.
    public var set: [ReplyAttribute] = []
    public var add: [ReplyAttribute] = []
    /// Names of attributes that the reply loses.
    public var remove: [String] = []
    /// The profile that is answered instead of the subscriber's; 0 to leave it.
    public var profile: Int64 = 0
    /// Names of the authentication methods of which one is demanded; none to take any.
    public var methods: [String] = []
    /// What Reply-Message tells a login that is refused.
    public var message = ""
    /// The realm whose home servers are asked instead of answering here; 0 for none. Such a rule does nothing else.
    public var forwardsTo: Int64 = 0
    /// The versions of TLS that EAP may have, such as `1.2`; none says nothing of them. Such a rule does nothing else.
    public var tlsVersions: [String] = []

    public init(id: Int64, name: String, priority: Int) {
        self.id = id
        self.name = name
        self.priority = priority
    }

    /// When it is looked at.
    public var moment: PolicyMoment { forwardsTo != 0 ? .arrival : tlsVersions.isEmpty ? .proof : .handshake }
}

/// When rules are looked at; those of each moment are a program of their own.
public enum PolicyMoment: Sendable, CaseIterable {
    /// Before anything is known but the request: where it is answered.
    case arrival
    /// When a method of EAP over TLS begins, of which no more is known: the versions that it has.
    case handshake
    /// Once the password is proven.
    case proof
}

/// What is wrong with a rule.
public struct PolicyFault: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The rule cannot be compiled.
        case invalid
        /// The rule, or a part of its condition, can never hold, or always does.
        case unreachable
        /// An attribute that former versions took, and no reply has: it alone is left out of the rule.
        case reserved
    }

    public let kind: Kind
    public let rule: Int64
    public let ruleName: String
    /// The member of the rule: `condition`, `set_attributes`, ...
    public let member: String
    /// In the condition; nil elsewhere.
    public let place: RulePlace?
    public let reason: String

    init(_ kind: Kind = .invalid, _ rule: PolicyRule, _ member: String, _ reason: String, at place: RulePlace? = nil) {
        self.kind = kind
        self.rule = rule.id
        ruleName = rule.name
        self.member = member
        self.place = place
        self.reason = reason
    }

    /// A former version may have stored it: an attribute that no reply has, or a condition that by itself can never hold, of which fewer were
    /// found.
    public var wasTaken: Bool { kind == .reserved || kind == .unreachable && place != nil }

    public var description: String { "rule \(ruleName): \(member): \(reason)" }
}
