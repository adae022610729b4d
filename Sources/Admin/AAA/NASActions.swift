import Database

/// What can be done to a NAS besides changing it.
enum NASActions {
    static let all = [examineOne, examineAll]

    private static let summary = "What ought to be mended: secrets, signatures, clock, silence, CoA, make; each with what to do"

    private static let examineOne = Action("doctor", summary: summary, isWrite: false) { exchange, subject in
        .json(try await exchange.services.examineNAS(exchange.principal.tenant, subject.name))
    }

    private static let examineAll = Action("doctor", on: .collection, summary: summary + "; of all", isWrite: false) { exchange, _ in
        .json(try await exchange.services.examineNAS(exchange.principal.tenant, nil))
    }

    /// A name stands for one address, which would take the place of a network without a word.
    static func verify(_ connection: Connection, _ id: Int64) throws -> [Problem.Fault] {
        let network = try connection.queryOne(
            """
            -- nas.named_network
            SELECT address::text FROM aaa.nas
            WHERE id = $1 AND dns_name IS NOT NULL AND masklen(address) < CASE family(address) WHEN 4 THEN 32 ELSE 128 END
            """, [.int(id)])
        guard let network = try network?.string(0) else { return [] }
        return [
            .member("dns_name", "network", "a name is of one address, and \(network) is a network: give dns_name alone, with address null")
        ]
    }
}
