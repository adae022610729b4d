import Admin
import Database
import Glibc
import Provisioning
import RadiusCore

/// NAS under examination.
extension Parts {
    func examineNAS(_ tenant: Int64, _ name: String?) async throws -> String {
        let evidence = try await pool.transaction(.tenant(tenant), readOnly: true) { try NASEvidence.read(tenant: tenant, on: $0) }
        let clients = feed.store.snapshot.clients.clients
        let nowSeconds = Int64(Glibc.time(nil))
        let facts = NASFacts.all(of: tenant, named: name, among: clients, evidence, server?.environment.recorder, nowSeconds: nowSeconds)
        let clientIDs = Set(facts.map(\.client.id))
        // Without an address a NAS is no client.
        let others = evidence.values.filter { !$0.hasAddress && !clientIDs.contains($0.nas) && (name == nil || $0.name == name) }
        var examined = facts.map { (name: $0.client.name, text: Self.examination($0)) }
        examined += others.map { (name: $0.name, text: Self.examination($0, nowSeconds: nowSeconds)) }
        if let name, examined.isEmpty { throw ServiceFailure.unknown("an enabled NAS “\(name)”") }
        let value: JSON = ["data": .array(examined.sorted { $0.name < $1.name }.map { $0.text })]
        return String(decoding: value.bytes, as: UTF8.self)
    }

    private static func examination(_ facts: NASFacts) -> JSON {
        let client = facts.client
        let bits = client.network.ipv4 == nil ? client.prefixLength : client.prefixLength - 96
        let isHost = client.prefixLength == 128
        return [
            "nas": .string(client.name),
            "address": .string(client.network.text + (isHost ? "" : "/\(bits)")),
            "vendor": .string(client.vendor.name),
            "last_seen_seconds": ago(facts.lastSeenSeconds, facts.nowSeconds),
            "findings": .array(NASDoctor.findings(facts).map(json)),
        ]
    }

    /// Of a NAS without an address.
    private static func examination(_ evidence: NASEvidence, nowSeconds: Int64) -> JSON {
        let finding = NASDoctor.withoutAddress(evidence.name, dnsName: evidence.dnsName ?? "", dnsError: evidence.dnsError)
        return [
            "nas": .string(evidence.name), "address": .null, "vendor": .string(evidence.vendor),
            "last_seen_seconds": ago(evidence.lastSeenSeconds, nowSeconds), "findings": .array([json(finding)]),
        ]
    }

    private static func ago(_ seconds: Int64?, _ nowSeconds: Int64) -> JSON {
        seconds.map { .number("\(max(0, nowSeconds - $0))") } ?? .null
    }

    private static func json(_ finding: NASFinding) -> JSON {
        [
            "severity": .string(finding.severity.rawValue), "code": .string(finding.code), "what": .string(finding.what),
            "advice": .string(finding.advice),
        ]
    }
}
