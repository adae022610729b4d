import Database
import Provisioning

/// What can be done to a subscriber besides changing it.
enum SubscriberActions {
    static let explain = Action(
        "explain", summary: "Derives what the subscriber is answered and why", isWrite: false,
        parameters: [("nas", "The name of the NAS that asks; without it no vendor's attributes are rendered")]
    ) { exchange, subject in
        let nas = try await exchange.nasName(exchange.parameter("nas"))
        let explanation = try await exchange.services.explain(exchange.principal.tenant, subject.name, nas)
        return .json(try await QuotaActions.adding(to: explanation, exchange, subject.id))
    }

    /// What the table would refuse without saying why.
    @Sendable static func check(_ exchange: Exchange, _ members: [JSON.Member], _ isCreation: Bool) -> [Problem.Fault] {
        let bindings = isCreation ? SubscriberBinding.flaws(members).map(\.fault) : []
        guard members.contains(where: { $0.name == "mac_authentication" && $0.value == .boolean(true) }),
            let name = members.first(where: { $0.name == "username" })?.value.text, !isHardwareAddress(name)
        else { return bindings }
        return bindings + [.member("username", "mac", "mac_authentication needs a hardware address in this form: 00:53:00:12:34:56")]
    }

    /// What is the subscriber's own is no pool's.
    @Sendable static func verify(_ exchange: Exchange, _ connection: Connection, _ id: Int64) throws -> [Problem.Fault] {
        let clashes = try FixedAddresses(connection, tenant: exchange.principal.tenant).clashes(ofSubscriber: id)
        return try clashes.map { Problem.Fault.member($0.column, "pool", $0.detail) } + SubscriberBinding.faults(connection, id)
    }

    private static func isHardwareAddress(_ name: String) -> Bool {
        name.utf8.count == 17
            && name.utf8.enumerated().allSatisfy { position, octet in
                position % 3 == 2 ? octet == UInt8(ascii: ":") : "0123456789abcdef".utf8.contains(octet)
            }
    }

    static let disconnect = Action("disconnect", summary: "Ends all sessions of the subscriber at their NASes") { exchange, subject in
        let tenant = exchange.principal.tenant
        let sessions = try await exchange.services.pool.transaction(.tenant(tenant), readOnly: true) { connection in
            try connection.queryAll(
                "SELECT id FROM aaa.session WHERE subscriber_id = $1 AND stopped_at IS NULL ORDER BY id", [.int(subject.id)]
            ) { try $0.int64(0) }
        }
        var outcomes: [String] = []
        for session in sessions {
            outcomes.append(
                try await SessionActions.outcome(session) {
                    try await exchange.services.disconnect(tenant, session, exchange.principal.name)
                })
        }
        return .json("{\"subscriber\":\(subject.id),\"sessions\":[\(outcomes.joined(separator: ","))]}")
    }
}
