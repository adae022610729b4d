import Admin
import Database
import Glibc
import Provisioning
import RadiusCore

/// Policy rules as the interface asks about them.
enum PolicyService {
    /// Seconds since 1970.
    static var now: Int64 { Int64(Glibc.time(nil)) }

    /// What is wrong with the rules that the transaction sees.
    static func mistakes(_ connection: Database.Connection, _ dictionary: RadiusDictionary) throws -> [PolicyMistake] {
        PolicyCompiler.check(try PolicyRuleRows.enabled(connection), dictionary: dictionary).map { fault in
            PolicyMistake(
                rule: fault.rule, ruleName: fault.ruleName, member: fault.member, code: code(fault), detail: fault.reason,
                wasTaken: fault.wasTaken)
        }
    }

    private static func code(_ fault: PolicyFault) -> String {
        switch fault.kind {
        case .unreachable: "unreachable"
        case .reserved: "reserved"
        case .invalid: fault.member == "condition" ? "condition" : "attribute"
        }
    }

    /// The NAS called `name`, or the tenant's first.
    static func client(_ name: String?, _ tenant: Int64, _ snapshot: Snapshot) throws -> NASClient {
        if let name {
            guard let found = snapshot.clients.find(tenant: tenant, name: name) else {
                throw ServiceFailure.unknown("an enabled NAS “\(name)”")
            }
            return found
        }
        guard let first = snapshot.clients.clients.first(where: { $0.tenant == tenant }) else {
            throw ServiceFailure.refused("the tenant has no NAS yet, so there is no one to answer; create one first")
        }
        return first
    }

    /// Tries the rules in force on `trial`. `offer` is what EAP offers; nil where that is not known.
    static func test(
        _ trial: PolicyTrial, _ tenant: Int64, _ snapshot: Snapshot, _ census: SessionCensus?, _ offer: EAPOffer?
    ) throws -> String {
        let client = try client(trial.nas, tenant, snapshot)
        let request = try request(trial, snapshot.dictionary)
        let name = trial.userName.isEmpty ? request.userName : trial.userName
        let forwarding = ForwardingReport(request, client, in: snapshot)
        // Whether there is such a subscriber here does not matter then, nor do the other rules.
        if forwarding.isForwarded { return ExplanationJSON.text(forwarding, name, client) }
        let explanation = Explanation(
            userName: name, tenant: tenant, client: client, in: snapshot, request: request, census: census, offer: offer)
        // A method as the auth log names it before it is known what is inside: the other rules were not asked then.
        let isOpen = !request.method.inside.isEmpty
        if let explanation, !isOpen { return ExplanationJSON.text(explanation, forwarding) }
        let handshake = HandshakeReport(request, client, in: snapshot, offer: offer)
        let isUntold = trial.method == nil && trial.packet == nil
        let isOutside = (isUntold || request.method.mayBeOverTLS) && handshake.rules.lines.contains { $0.result == .holds }
        guard isOpen || handshake.refusal != nil || isOutside else {
            throw ServiceFailure.unknown("the subscriber “\(name)”", mayBeOutside: isUntold && !handshake.rules.lines.isEmpty)
        }
        return ExplanationJSON.text(
            handshake, name, isSubscriber: explanation != nil, client, forwarding.rules.lines + handshake.rules.lines)
    }

    /// What a login with nothing but a name would be answered.
    static func explain(
        _ tenant: Int64, _ userName: String, _ nas: String?, _ snapshot: Snapshot, _ census: SessionCensus?,
        _ offer: EAPOffer?
    ) throws -> String {
        let client = try client(nas, tenant, snapshot)
        let request = try bare(userName, snapshot)
        guard
            let explanation = Explanation(
                userName: userName, tenant: tenant, client: client, in: snapshot, request: request, census: census, offer: offer)
        else {
            throw ServiceFailure.unknown("the subscriber “\(userName)”")
        }
        return ExplanationJSON.text(explanation, ForwardingReport(request, client, in: snapshot))
    }

    /// Where a name would go by the tenant's rules that forward; nil without such rules, when no NAS needs to be there.
    static func forwarding(_ userName: String, _ nas: String?, _ tenant: Int64, _ snapshot: Snapshot) throws -> ForwardingReport? {
        guard nas != nil || snapshot.forwarding[tenant] != nil else { return nil }
        return ForwardingReport(try bare(userName, snapshot), try client(nas, tenant, snapshot), in: snapshot)
    }

    /// A request now, by PAP, with nothing but a name.
    static func bare(_ userName: String, _ snapshot: Snapshot) throws -> PolicyRequest {
        do { return try PolicyRequest(userName: userName, dictionary: snapshot.dictionary, seconds: now) } catch {
            throw ServiceFailure.refused(error.description)
        }
    }

    private static func method(named name: String) throws -> AuthenticationMethod {
        guard let found = AuthenticationMethod.proofs.first(where: { $0.name == name }) else {
            throw ServiceFailure.refused(
                "there is no method “\(name)”; there are \(AuthenticationMethod.proofs.map(\.name).joined(separator: ", "))")
        }
        return found
    }

    private static func request(_ trial: PolicyTrial, _ dictionary: RadiusDictionary) throws -> PolicyRequest {
        let seconds = trial.seconds ?? now
        let method = try trial.method.map { try Self.method(named: $0) }
        if let packet = trial.packet {
            guard let octets = PacketText.octets(hexadecimal: packet) else {
                throw ServiceFailure.refused("the packet is not in hexadecimal digits")
            }
            do {
                var request = try PolicyRequest(recorded: octets, seconds: seconds)
                guard let method else { return request }
                // What was agreed on in a conversation, no packet of it tells.
                guard request.method == .eap, method.isOfEAP else {
                    throw ServiceFailure.refused(
                        "beside a packet that carries EAP a method of EAP may be named, and no other; this one is of \(request.method.name)"
                    )
                }
                request.method = method
                return request
            } catch let error as DecodeError {
                throw ServiceFailure.refused("the packet is no Access-Request: \(error.explanation)")
            }
        }
        do {
            return try PolicyRequest(
                userName: trial.userName, attributes: trial.attributes.map { AttributeText(name: $0.name, value: $0.value) },
                dictionary: dictionary, method: method, seconds: seconds)
        } catch {
            throw ServiceFailure.refused(error.description)
        }
    }
}

extension ServiceFailure {
    /// The snapshot, which follows the database, has nothing of the kind.
    ///
    /// - Parameters:
    ///   - what: is not there.
    ///   - mayBeOutside: it may be a name outside of a tunnel, for which there are rules.
    /// - Returns: a 404 that says what else to try.
    static func unknown(_ what: String, mayBeOutside: Bool = false) -> ServiceFailure {
        let outside = "; by --method eap-ttls it is tried as a name outside of a tunnel, with the rules about versions of TLS"
        return .notFound(what, note: "a new one takes up to a second" + (mayBeOutside ? outside : ""))
    }
}
