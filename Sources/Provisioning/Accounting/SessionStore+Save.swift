import Database
import RadiusCore

extension SessionStore {
    /// Somebody changed a row since it was read or remembered; nothing of the batch may stay.
    struct RowMoved: Error {}

    /// All columns of `aaa.session`, which `aaa.session_history` has as well.
    static let columns = """
        id, tenant_id, nas_id, session_key, subscriber_id, profile_id, username, acct_session_id, multi_session_id, nas_identifier, \
        nas_address, nas_port, nas_port_id, nas_port_type, calling_station_id, called_station_id, framed_ipv4, framed_ipv6, \
        framed_ipv6_prefix, delegated_ipv6_prefix, framed_interface_id, class, source_address, started_at, updated_at, stopped_at, ended_by, \
        terminate_cause, session_seconds, upload_octets, download_octets, fold
        """

    private static let insertion = """
        -- session.insert
        INSERT INTO aaa.session (\(columns), booked_day, booked_upload, booked_download, booked_seconds)
        SELECT n.id, n.tenant, n.nas, n.key, n.subscriber,
            coalesce(n.profile, (SELECT u.profile_id FROM aaa.subscriber u WHERE u.id = n.subscriber)),
            coalesce(n.username, ''), coalesce(n.session, ''), n.multi, n.nas_identifier, n.nas_address, n.port, n.port_id, n.port_type,
            n.calling, n.called, n.ipv4, n.ipv6, n.prefix, n.delegated, n.interface, n.class, n.source, n.started, n.updated, n.stopped,
            n.ended_by, n.cause, n.seconds, n.upload, n.download, n.fold, n.booked_day, n.booked_upload, n.booked_download,
            n.booked_seconds
        FROM pg_temp.shipper_session n WHERE n.is_new
        """

    private static let progress = """
        started_at = n.started, updated_at = n.updated, stopped_at = n.stopped, ended_by = n.ended_by, terminate_cause = n.cause, \
        session_seconds = n.seconds, upload_octets = n.upload, download_octets = n.download, fold = n.fold
        """

    private static func update(_ table: String, _ assignments: String, isOpen: Bool) -> String {
        """
        -- session.update
        UPDATE aaa.session s SET \(assignments) FROM pg_temp.\(table) n
        WHERE s.id = n.id AND s.xmin = n.writer AND n.stopped \(isOpen ? "IS NULL" : "IS NOT NULL")
        """
    }

    /// Reads a range of sessions once instead of each by itself; see `Span`.
    private static let together = """
        SET LOCAL enable_hashjoin = on; SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off
        """
    private static let oneByOne = """
        SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = on; SET LOCAL enable_seqscan = on
        """

    private static let naming = """
        username = coalesce(n.username, s.username), multi_session_id = coalesce(n.multi, s.multi_session_id), \
        nas_identifier = coalesce(n.nas_identifier, s.nas_identifier), nas_address = coalesce(n.nas_address, s.nas_address), \
        nas_port = coalesce(n.port, s.nas_port), nas_port_id = coalesce(n.port_id, s.nas_port_id), \
        nas_port_type = coalesce(n.port_type, s.nas_port_type), calling_station_id = coalesce(n.calling, s.calling_station_id), \
        called_station_id = coalesce(n.called, s.called_station_id), framed_ipv4 = coalesce(n.ipv4, s.framed_ipv4), \
        framed_ipv6 = coalesce(n.ipv6, s.framed_ipv6), framed_ipv6_prefix = coalesce(n.prefix, s.framed_ipv6_prefix), \
        delegated_ipv6_prefix = coalesce(n.delegated, s.delegated_ipv6_prefix), \
        framed_interface_id = coalesce(n.interface, s.framed_interface_id), class = coalesce(n.class, s.class), \
        source_address = coalesce(n.source, s.source_address), booked_day = n.booked_day, booked_upload = n.booked_upload, \
        booked_download = n.booked_download, booked_seconds = n.booked_seconds
        """

    /// Writes what the batch changed.
    ///
    /// - Throws: `DatabaseError`; `RowMoved` when a row is not as `SessionRow.writer` says.
    func save(_ rows: [SessionRow]) throws {
        // In the order in which they lie in the table.
        let changed = rows.indices.filter { rows[$0].isChanged }.sorted { rows[$0].id < rows[$1].id }
        let told = changed.filter { rows[$0].isTold }
        let grown = changed.filter { !rows[$0].isTold }
        try copy(rows, grown, to: "shipper_progress", columns: Self.progressColumns) { _, _ in }
        try copy(rows, told, to: "shipper_session", columns: Self.progressColumns + Self.namingColumns) { row, writer in
            try Self.write(identity: row, to: &writer)
            try Self.write(naming: row.naming ?? SessionNaming(), to: &writer)
        }
        // Closed sessions go first, so that one that opens under the same key finds its place free.
        for isOpen in [false, true] {
            func span(_ places: [Int]) -> Span { Span(places.lazy.map { rows[$0] }.filter { !$0.isNew && $0.fold.isOpen == isOpen }) }
            try update("shipper_progress", Self.progress, isOpen: isOpen, span(grown))
            try update("shipper_session", Self.naming + ", " + Self.progress, isOpen: isOpen, span(told))
        }
        if told.contains(where: { rows[$0].isNew }) { try connection.execute(Self.insertion) }
    }

    /// Sessions that are to be updated, and the range of their numbers.
    private struct Span {
        private static let leastTogether = 200
        private static let sparsest: Int64 = 4

        private(set) var count = 0
        private(set) var first = Int64.max
        private(set) var last = Int64.min

        init(_ rows: some Sequence<SessionRow>) {
            for row in rows {
                count += 1
                first = min(first, row.id)
                last = max(last, row.id)
            }
        }

        /// After a power cut sessions begin together and are reported together. Then a scan of their range with a hash table costs half of
        /// what a look-up of each costs.
        var isDense: Bool { count >= Self.leastTogether && (last - first) / Self.sparsest < Int64(count) }
    }

    private func update(_ table: String, _ assignments: String, isOpen: Bool, _ span: Span) throws {
        guard span.count > 0 else { return }
        let sql = Self.update(table, assignments, isOpen: isOpen)
        var updated = 0
        if span.isDense {
            try connection.script(Self.together)
            updated = try connection.execute(sql + " AND s.id BETWEEN $1 AND $2", [.int(span.first), .int(span.last)])
            try connection.script(Self.oneByOne)
        } else {
            updated = try connection.execute(sql)
        }
        guard updated == span.count else { throw RowMoved() }
    }

    /// Copies the rows at `places`; `more` writes what stands behind their progress.
    private func copy(
        _ rows: [SessionRow], _ places: [Int], to table: String, columns: Int,
        _ more: (SessionRow, inout CopyWriter) throws -> Void
    ) throws {
        guard !places.isEmpty else { return }
        try connection.copyIn("COPY pg_temp.\(table) FROM STDIN (FORMAT binary)") { writer in
            for place in places {
                try writer.row(columns: columns)
                try Self.write(progress: rows[place], to: &writer)
                try more(rows[place], &writer)
            }
        }
    }
}

/// A row in the order of the columns of `ShipperStaging`.
extension SessionStore {
    private static let progressColumns = 11
    private static let namingColumns = 27

    private static func write(progress row: SessionRow, to writer: inout CopyWriter) throws {
        try writer.int4(Int32(bitPattern: row.writer))
        try writer.int8(row.id)
        try writer.timestamp(microsecondsSinceUnixEpoch: row.fold.startedMicroseconds)
        try writer.timestamp(microsecondsSinceUnixEpoch: row.fold.updatedMicroseconds)
        if let stopped = row.fold.stoppedMicroseconds {
            try writer.timestamp(microsecondsSinceUnixEpoch: stopped)
        } else {
            try writer.null()
        }
        try writer.textOrNull(row.fold.ending?.name)
        try writer.textOrNull(row.fold.terminateCause?.name)
        try writer.int8(Int64(clamping: row.fold.seconds))
        try writer.int8(Int64(clamping: row.fold.upload.total))
        try writer.int8(Int64(clamping: row.fold.download.total))
        try row.fold.withStateOctets { try writer.bytes($0) }
    }

    private static func write(identity row: SessionRow, to writer: inout CopyWriter) throws {
        try writer.bool(row.isNew)
        try writer.int8(row.tenant)
        try writer.int8(row.key.nas)
        try writer.bytes(row.key.octets)
        try writer.numberOrNull(row.subscriber)
        try writer.numberOrNull(row.profile)
        if let day = row.booked?.day { try writer.int4(day) } else { try writer.null() }
        let booked = row.booked?.usage ?? Usage()
        try writer.int8(Int64(clamping: booked.upload))
        try writer.int8(Int64(clamping: booked.download))
        try writer.int8(Int64(clamping: booked.seconds))
    }

    private static func write(naming: SessionNaming, to writer: inout CopyWriter) throws {
        try writer.storable(naming.username)
        try writer.storable(naming.sessionID)
        try writer.storable(naming.multiSessionID)
        try writer.storable(naming.nasIdentifier)
        try writer.address(naming.nasAddress)
        if let port = naming.nasPort { try writer.int8(Int64(port)) } else { try writer.null() }
        try writer.storable(naming.nasPortID)
        if let type = naming.nasPortType { try writer.int4(Int32(clamping: type)) } else { try writer.null() }
        try writer.storable(naming.callingStationID)
        try writer.storable(naming.calledStationID)
        try writer.address(naming.framedIPv4)
        try writer.address(naming.framedIPv6)
        try writer.prefix(naming.framedIPv6Prefix)
        try writer.prefix(naming.delegatedIPv6Prefix)
        try writer.textOrNull(naming.framedInterfaceID.isEmpty ? nil : StorableText.hexadecimal(naming.framedInterfaceID))
        try writer.textOrNull(
            naming.classes.isEmpty ? nil : naming.classes.map { StorableText.hexadecimal($0) }.joined(separator: " "))
        try writer.address(naming.sourceAddress)
    }
}

extension CopyWriter {
    mutating func textOrNull(_ value: String?) throws {
        if let value { try text(value) } else { try null() }
    }

    /// A number of the database's; 0 stands for none.
    mutating func numberOrNull(_ value: Int64) throws {
        if value == 0 { try null() } else { try int8(value) }
    }

    /// Octets of the network as storable text; null for none.
    mutating func storable(_ octets: [UInt8]) throws {
        guard !octets.isEmpty else { return try null() }
        try StorableText.octets(of: octets).withUnsafeBytes { try text(octets: $0) }
    }

    /// An address of 4 or 16 octets; null for none.
    mutating func address(_ octets: [UInt8]) throws {
        guard octets.count == 4 || octets.count == 16 else { return try null() }
        try octets.withUnsafeBytes { try inet($0) }
    }

    mutating func prefix(_ prefix: IPv6Prefix?) throws {
        guard let prefix else { return try null() }
        try prefix.octets.withUnsafeBytes { try inet($0, prefixLength: prefix.length, isCIDR: true) }
    }
}
