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
        let facts = NASFacts.all(
            of: tenant, named: name, among: clients, evidence, server?.environment.recorder, nowSeconds: Int64(Glibc.time(nil)))
        if let name, facts.isEmpty { throw ServiceFailure.unknown("an enabled NAS “\(name)”") }
        let value: JSON = ["data": .array(facts.map(Self.examination))]
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
            "last_seen_seconds": facts.lastSeenSeconds.map { .number("\(max(0, facts.nowSeconds - $0))") } ?? .null,
            "findings": .array(
                NASDoctor.findings(facts).map {
                    [
                        "severity": .string($0.severity.rawValue), "code": .string($0.code), "what": .string($0.what),
                        "advice": .string($0.advice),
                    ]
                }),
        ]
    }
}
