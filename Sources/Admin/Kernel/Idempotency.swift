internal import Crypto
import Database

/// Makes a repeated POST with the same `Idempotency-Key` answer what the first one answered
/// (draft-ietf-httpapi-idempotency-key-header).
///
/// The key is claimed and the answer kept in the transaction of the effect: a request that failed leaves no key, and one that runs
/// at the same time waits for the first to end. Keys live for a day and belong to tenant, principal and address.
struct Idempotency {
    let key: String
    let exchange: Exchange

    /// nil when the request has no such header.
    ///
    /// - Throws: `Problem` for a key that is empty, longer than 255 octets or not visible ASCII.
    init?(_ exchange: Exchange) throws(Problem) {
        guard let key = exchange.header("Idempotency-Key") else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem.badRequest("Idempotency-Key has 1 to 255 visible ASCII characters")
        }
        self.key = key
        self.exchange = exchange
    }

    private var route: String { exchange.method + " /" + exchange.path.joined(separator: "/") }

    private var fingerprint: [UInt8] {
        Array(SHA256.hash(data: Array(exchange.target.utf8) + [0] + exchange.body))
    }

    private var identity: [SQLValue] {
        [.int(exchange.principal.tenant), .text(exchange.principal.name), .text(route), .text(key)]
    }

    /// The answer of an earlier request with this key; nil when this is the first, which then owns the key.
    func claim(_ connection: Connection) throws -> Answer? {
        try connection.execute(
            "DELETE FROM lastmile.idempotency_key WHERE created_at < now() - interval '1 day' AND tenant_id = $1",
            [.int(exchange.principal.tenant)])
        let claimed = try connection.execute(
            """
            INSERT INTO lastmile.idempotency_key (tenant_id, principal, route, key, fingerprint)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
            """, identity + [.bytes(fingerprint)])
        guard claimed == 0 else { return nil }
        let earlier = try connection.queryOne(
            """
            SELECT fingerprint, status, headers::text, body FROM lastmile.idempotency_key
            WHERE tenant_id = $1 AND principal = $2 AND route = $3 AND key = $4
            """, identity)
        guard let earlier else { throw Problem.unavailable("an equal request ended just now; try again") }
        guard try earlier.bytes(0) == fingerprint else { throw Problem.keyReused() }
        var answer = Answer(status: try earlier.int(1), body: try earlier.bytes(3))
        let headers = (try? JSONParser.parse(Array(try earlier.string(2).utf8)))?.members ?? []
        answer.headers = headers.map { Header($0.name, $0.value.text ?? "") }
        return answer.with(header: "Idempotency-Replayed", "true")
    }

    /// Keeps what is answered.
    func keep(_ answer: Answer, _ connection: Connection) throws {
        let headers = JSON.object(answer.headers.map { JSON.Member($0.name, .string($0.value)) })
        try connection.execute(
            """
            UPDATE lastmile.idempotency_key SET status = $5, headers = $6, body = $7
            WHERE tenant_id = $1 AND principal = $2 AND route = $3 AND key = $4
            """,
            identity + [.int(Int64(answer.status)), .json(String(decoding: headers.bytes, as: UTF8.self)), .bytes(answer.body)])
    }
}
