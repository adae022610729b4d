import Database

/// Reads and writes what names there are and what DNS said of them, on a thread that may block.
struct NameStore {
    let connection: Connection

    func entries() throws -> [NamedEntry] {
        try connection.transaction(.system, readOnly: true) { connection in
            try NamedEntry.Kind.allCases.flatMap { kind in
                try connection.queryAll(
                    """
                    -- names.entries
                    SELECT id, name, dns_name, host(address), dns_error FROM aaa.\(kind.rawValue) WHERE dns_name IS NOT NULL
                    """
                ) { try Self.entry($0, kind) }
            }
        }
    }

    /// Who keeps `entry`, a NAS, from having `address`; nil when no name does.
    func holder(of address: String, insteadOf entry: NamedEntry) throws -> NamedEntry? {
        try connection.transaction(.system, readOnly: true) { connection in
            try connection.queryAll(
                """
                -- names.holder
                SELECT h.id, h.name, h.dns_name, host(h.address), h.dns_error
                FROM aaa.nas h JOIN aaa.nas e ON h.nas_identifier IS NOT DISTINCT FROM e.nas_identifier
                WHERE e.id = $1 AND h.id <> e.id AND h.address = $2::cidr AND h.dns_name IS NOT NULL
                """, [.int(entry.id), .text(address)]
            ) { try Self.entry($0, .nas) }.first
        }
    }

    private static func entry(_ row: Row, _ kind: NamedEntry.Kind) throws -> NamedEntry {
        NamedEntry(
            kind: kind, id: try row.int64(0), label: try row.string(1), name: try row.string(2), address: try row.optionalString(3),
            error: try row.optionalString(4))
    }

    /// Gives `entry` its address, which `holder`, where there is one, has no more.
    ///
    /// - Throws: `DatabaseError`; a unique violation, with nothing changed, when another NAS has the address.
    func move(_ entry: NamedEntry, to address: String, takenFrom holder: NamedEntry? = nil) throws {
        try connection.transaction(.system) { connection in
            if let holder {
                try connection.execute(
                    """
                    -- names.vacate
                    UPDATE aaa.nas SET address = NULL, dns_error = NULL, version = version + 1, updated_at = now()
                    WHERE id = $1 AND dns_name = $2 AND address = $3::cidr
                    """, [.int(holder.id), .text(holder.name), .text(address)])
            }
            try connection.execute(
                """
                -- names.move
                UPDATE aaa.\(entry.kind.rawValue)
                SET address = $2::\(entry.kind.addressType), dns_error = NULL, version = version + 1, updated_at = now()
                WHERE id = $1 AND dns_name = $3
                """, [.int(entry.id), .text(address), .text(entry.name)])
        }
    }

    func fail(_ entry: NamedEntry, _ reason: String) throws {
        _ = try connection.transaction(.system) { connection in
            try connection.execute(
                """
                -- names.fail
                UPDATE aaa.\(entry.kind.rawValue) SET dns_error = $2, version = version + 1, updated_at = now()
                WHERE id = $1 AND dns_name = $3
                """, [.int(entry.id), .text(reason), .text(entry.name)])
        }
    }
}
