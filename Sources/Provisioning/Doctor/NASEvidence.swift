public import Database
public import RadiusCore
import Synchronization

/// What PostgreSQL knows of a NAS that the node's memory does not: all nodes' observations, and how CoA went.
public struct NASEvidence: Sendable {
    public let nas: Int64
    public let name: String
    public let vendor: String
    public let hasAddress: Bool
    public let dnsName: String?
    public let dnsError: String?
    public let createdSeconds: Int64
    public let lastSeenSeconds: Int64?
    public let coaAnswered: Int
    public let coaTimeouts: Int
    public let coaAnsweredSeconds: Int64
    public let coaTimeoutSeconds: Int64

    /// Of all enabled NAS of the transaction's tenant, by id.
    ///
    /// Blocks: only on a thread that owns `connection`.
    public static func read(tenant: Int64, on connection: Connection) throws -> [Int64: NASEvidence] {
        let found = try connection.queryAll(
            """
            -- nas_doctor.evidence
            SELECT n.id, extract(epoch FROM n.created_at)::bigint, extract(epoch FROM o.last_seen_at)::bigint,
                count(d.id) FILTER (WHERE d.outcome IN ('ack', 'nak')), count(d.id) FILTER (WHERE d.outcome = 'timeout'),
                coalesce(extract(epoch FROM max(d.finished_at) FILTER (WHERE d.outcome IN ('ack', 'nak'))), 0)::bigint,
                coalesce(extract(epoch FROM max(d.finished_at) FILTER (WHERE d.outcome = 'timeout')), 0)::bigint,
                n.name, n.vendor, n.address IS NOT NULL, n.dns_name, n.dns_error
            FROM aaa.nas n
            LEFT JOIN aaa.nas_observation o ON o.nas_id = n.id
            LEFT JOIN aaa.dynamic_authorization d
                ON d.tenant_id = n.tenant_id AND d.nas_id = n.id AND d.requested_at > now() - interval '7 days'
            WHERE n.tenant_id = $1 AND n.enabled
            GROUP BY n.id, o.nas_id
            """, [.int(tenant)]
        ) { row in
            NASEvidence(
                nas: try row.int64(0), name: try row.string(7), vendor: try row.string(8), hasAddress: try row.bool(9),
                dnsName: try row.optionalString(10), dnsError: try row.optionalString(11), createdSeconds: try row.int64(1),
                lastSeenSeconds: try row.optionalInt64(2), coaAnswered: Int(try row.int64(3)), coaTimeouts: Int(try row.int64(4)),
                coaAnsweredSeconds: try row.int64(5), coaTimeoutSeconds: try row.int64(6))
        }
        return Dictionary(uniqueKeysWithValues: found.map { ($0.nas, $0) })
    }
}

extension NASFacts {
    /// Everything that is known of the tenant's NAS, in the order of their names.
    ///
    /// - Parameters:
    ///   - tenant: whose.
    ///   - name: of the only one that is wanted; nil: all.
    ///   - clients: in force, of all tenants.
    ///   - evidence: by NAS; one that it does not know is left out, for it is new or gone.
    ///   - recorder: of this node; nil where it answers no RADIUS.
    ///   - nowSeconds: since 1970.
    /// - Returns: facts of each.
    public static func all(
        of tenant: Int64, named name: String?, among clients: [NASClient], _ evidence: [Int64: NASEvidence], _ recorder: FlightRecorder?,
        nowSeconds: Int64
    ) -> [NASFacts] {
        let own = clients.filter { $0.tenant == tenant }
        let wanted = own.filter { name == nil || $0.name == name }.sorted { $0.name < $1.name }
        let bySecret = Dictionary(grouping: own) { $0.secret.bytes }
        var filter = FlightFilter(tenant: tenant)
        if let only = wanted.first, wanted.count == 1 { filter.nas = only.id }
        // Once for all of them: each look goes through the whole recorder.
        let records = recorder?.last(recordLimit * min(100, max(1, wanted.count)), filter).records ?? []
        let byNAS = Dictionary(grouping: records) { $0.header.nas }
        return wanted.compactMap { client in
            guard let evidence = evidence[client.id] else { return nil }
            var facts = NASFacts(client, evidence, nowSeconds: nowSeconds)
            facts.sharesSecretWith = (bySecret[client.secret.bytes] ?? []).filter { $0.id != client.id }.map(\.name)
            facts.recent = Array((byNAS[client.id] ?? []).suffix(recordLimit))
            return facts
        }
    }

    private init(_ client: NASClient, _ evidence: NASEvidence, nowSeconds: Int64) {
        let seen = client.observation.lastSeenSeconds.load(ordering: .relaxed)
        self.init(
            client, nowSeconds: nowSeconds, createdSeconds: evidence.createdSeconds,
            lastSeenSeconds: seen > 0 ? max(seen, evidence.lastSeenSeconds ?? 0) : evidence.lastSeenSeconds)
        (coaAnswered, coaTimeouts) = (evidence.coaAnswered, evidence.coaTimeouts)
        (coaAnsweredSeconds, coaTimeoutSeconds) = (evidence.coaAnsweredSeconds, evidence.coaTimeoutSeconds)
        (dnsName, dnsError) = (evidence.dnsName, evidence.dnsError)
    }

    /// Of each NAS.
    private static let recordLimit = 300
}
