import Database
import RadiusCore
import Synchronization

/// What each client was seen to do, by its id: the same object for every snapshot and every load.
final class ClientObservations: Sendable {
    private let known = Mutex<[Int64: ClientObservation]>([:])

    var all: [Int64: ClientObservation] { known.withLock { $0 } }

    /// What is known of the client; `stored`, from now on, if nothing was.
    func observation(of client: Int64, stored: ClientObservation) -> ClientObservation {
        known.withLock { known in
            if let observation = known[client] { return observation }
            known[client] = stored
            return stored
        }
    }
}

/// Writes down what clients were seen to do, so that a restart reopens no window (CVE-2024-3596). Confined to the feed's thread.
struct ObservationStore {
    private struct Written {
        var revision: UInt64 = 0
        var seenSeconds: Int64 = 0
    }

    private var written: [Int64: Written] = [:]
    /// A client that is merely seen again is written this often.
    private static let seenSeconds: Int64 = 30

    /// Upserts the clients whose rules changed, or that were seen lately. Scope `system`.
    ///
    /// Several nodes write: a client that signed once, at any of them, is held to it, and Proxy-State was judged by the first.
    mutating func flush(_ observations: [Int64: ClientObservation], _ connection: Connection) throws {
        for (nas, observation) in observations {
            let now = Written(
                revision: observation.revision.load(ordering: .relaxed),
                seenSeconds: observation.lastSeenSeconds.load(ordering: .relaxed))
            let before = written[nas] ?? Written()
            guard now.seenSeconds > 0 else { continue }
            guard now.revision != before.revision || now.seenSeconds >= before.seenSeconds + Self.seenSeconds else { continue }
            try connection.execute(
                """
                INSERT INTO aaa.nas_observation AS o
                    (nas_id, tenant_id, requires_message_authenticator, limits_proxy_state, first_seen_at, last_seen_at)
                SELECT id, tenant_id, $2, $3, to_timestamp($4), to_timestamp($4) FROM aaa.nas WHERE id = $1
                ON CONFLICT (nas_id) DO UPDATE SET
                    requires_message_authenticator = CASE
                        WHEN o.requires_message_authenticator THEN true
                        ELSE coalesce(excluded.requires_message_authenticator, o.requires_message_authenticator) END,
                    limits_proxy_state = coalesce(o.limits_proxy_state, excluded.limits_proxy_state),
                    last_seen_at = greatest(o.last_seen_at, excluded.last_seen_at)
                """,
                [
                    .int(nas), SQLValue(observation.requiresMessageAuthenticator), SQLValue(observation.limitsProxyState),
                    .double(Double(now.seenSeconds)),
                ])
            written[nas] = now
        }
    }
}
