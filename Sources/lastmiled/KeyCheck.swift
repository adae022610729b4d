import Database
import Provisioning

/// Keeps a node from starting with a `secret.keys` that is not the database's: it would leave out every NAS and subscriber, and seal
/// what no other node could open.
struct KeyCheck {
    /// Of NAS and of subscribers each. Several, since one secret may be damaged by itself.
    private static let samples = 8

    let pool: Pool
    let secrets: SecretBox
    /// The key file's path.
    let file: String

    /// - Throws: `StartFailure` when there are secrets, and none of those tried opens.
    func run() async throws {
        let sealed = try await pool.transaction(.system, readOnly: true) { connection in
            try connection.queryAll(
                """
                -- key.sample
                (SELECT secret FROM aaa.nas ORDER BY id LIMIT \(Self.samples))
                UNION ALL (SELECT password FROM aaa.subscriber WHERE password IS NOT NULL ORDER BY id LIMIT \(Self.samples))
                """
            ) { try $0.bytes(0) }
        }
        guard !sealed.isEmpty, sealed.allSatisfy({ (try? secrets.open($0)) == nil }) else { return }
        throw StartFailure(
            "\(file): no secret in this database opens with these keys; put the secret.keys of a node that works with it there, or name "
                + "another database (database.url)")
    }
}
