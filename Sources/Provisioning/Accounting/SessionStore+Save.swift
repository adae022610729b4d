import Database
import RadiusCore

extension SessionStore {
    /// Somebody changed a row since it was read or remembered; nothing of the batch may stay.
    struct RowMoved: Error {}

    /// Columns of who and where, which `aaa.session_header` has.
    private static let naming = [
        "id", "tenant_id", "nas_id", "session_key", "subscriber_id", "profile_id", "username", "acct_session_id", "multi_session_id",
        "nas_identifier", "nas_address", "nas_port", "nas_port_id", "nas_port_type", "calling_station_id", "called_station_id",
        "framed_ipv4", "framed_ipv6", "framed_ipv6_prefix", "delegated_ipv6_prefix", "framed_interface_id", "class", "source_address",
        "forwarded_realm_id", "operator_nas_identifier",
    ]
    /// Columns of how far it has come, which `aaa.session_progress` has, and `aaa.session_header` as it began.
    private static let growth = ["started_at", "updated_at", "session_seconds", "upload_octets", "download_octets", "fold", "heard_at"]
    /// Columns of its end, which only `aaa.session_progress` has.
    private static let ending = ["stopped_at", "ended_by", "terminate_cause"]

    /// All columns of `aaa.session` but what is booked, which `aaa.session_history` has as well.
    static let columns = (naming + growth + ending).joined(separator: ", ")
    /// The same where `h` is the header and `p` the progress.
    static let whole = (naming.map { "h.\($0)" } + (growth + ending).map { "p.\($0)" }).joined(separator: ", ")
    static let headerColumns = (naming + growth).joined(separator: ", ")
    static let progressColumns = (["id", "tenant_id"] + growth + ending).joined(separator: ", ")

    private static let opening = """
        -- session.insert
        INSERT INTO aaa.session_header (\(headerColumns), booked_day, booked_upload, booked_download, booked_seconds)
        SELECT n.id, n.tenant, n.nas, n.key, n.subscriber,
            coalesce(n.profile, (SELECT u.profile_id FROM aaa.subscriber u WHERE u.id = n.subscriber)),
            coalesce(n.username, ''), coalesce(n.session, ''), n.multi, n.nas_identifier, n.nas_address, n.port, n.port_id, n.port_type,
            n.calling, n.called, n.ipv4, n.ipv6, n.prefix, n.delegated, n.interface, n.class, n.source, n.realm, n.operator_nas,
            n.started, n.updated, n.seconds, n.upload, n.download, n.fold, n.heard, n.booked_day, n.booked_upload, n.booked_download,
            n.booked_seconds
        FROM pg_temp.shipper_header n WHERE n.is_new
        """

    private static let renaming = """
        -- session.rename
        UPDATE aaa.session_header s SET
        username = coalesce(n.username, s.username), multi_session_id = coalesce(n.multi, s.multi_session_id), \
        nas_identifier = coalesce(n.nas_identifier, s.nas_identifier), nas_address = coalesce(n.nas_address, s.nas_address), \
        nas_port = coalesce(n.port, s.nas_port), nas_port_id = coalesce(n.port_id, s.nas_port_id), \
        nas_port_type = coalesce(n.port_type, s.nas_port_type), calling_station_id = coalesce(n.calling, s.calling_station_id), \
        called_station_id = coalesce(n.called, s.called_station_id), framed_ipv4 = coalesce(n.ipv4, s.framed_ipv4), \
        framed_ipv6 = coalesce(n.ipv6, s.framed_ipv6), framed_ipv6_prefix = coalesce(n.prefix, s.framed_ipv6_prefix), \
        delegated_ipv6_prefix = coalesce(n.delegated, s.delegated_ipv6_prefix), \
        framed_interface_id = coalesce(n.interface, s.framed_interface_id), class = coalesce(n.class, s.class), \
        source_address = coalesce(n.source, s.source_address), \
        operator_nas_identifier = coalesce(n.operator_nas, s.operator_nas_identifier), \
        booked_day = n.booked_day, booked_upload = n.booked_upload, booked_download = n.booked_download, booked_seconds = n.booked_seconds
        FROM pg_temp.shipper_header n WHERE s.id = n.id AND NOT n.is_new
        """

    /// A session's first row of progress. Should another have written one meanwhile, its key is taken; should the session have gone to the
    /// history meanwhile, it has no header. A new session's header comes behind.
    private static let beginning = """
        -- session.begin
        INSERT INTO aaa.session_progress (\(progressColumns))
        SELECT n.id, n.tenant, n.started, n.updated, n.seconds, n.upload, n.download, n.fold, n.heard, n.stopped, n.ended_by, n.cause
        FROM pg_temp.shipper_progress n
        WHERE n.writer IS NULL AND (n.is_new OR EXISTS (SELECT FROM aaa.session_header h WHERE h.id = n.id))
        """

    private static let growing = """
        -- session.update
        UPDATE aaa.session_progress s SET started_at = n.started, updated_at = n.updated, session_seconds = n.seconds,
            upload_octets = n.upload, download_octets = n.download, fold = n.fold, heard_at = n.heard, stopped_at = n.stopped,
            ended_by = n.ended_by, terminate_cause = n.cause
        FROM pg_temp.shipper_progress n WHERE s.id = n.id AND s.xmin = n.writer
        """

    /// Reads a range of sessions once instead of each by itself; see `Span`.
    private static let together = """
        SET LOCAL enable_hashjoin = on; SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off
        """
    private static let oneByOne = """
        SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = on; SET LOCAL enable_seqscan = on
        """

    /// Writes what the batch changed.
    ///
    /// - Throws: `DatabaseError`; `RowMoved` when a row's progress is not as `SessionRow.writer` says.
    func save(_ rows: [SessionRow]) throws {
        // In the order in which they lie in the tables.
        let changed = rows.indices.filter { rows[$0].isChanged }.sorted { rows[$0].id < rows[$1].id }
        let grown = changed.filter { rows[$0].isGrown }
        let told = changed.filter { rows[$0].isTold }
        try copy(rows, grown, to: "shipper_progress", columns: 14, Self.write(progress:to:))
        try copy(rows, told, to: "shipper_header", columns: 37, Self.write(header:to:))
        try update(Self.growing, Span(grown.lazy.map { rows[$0] }.filter { $0.writer != nil }))
        try begin(grown.count { rows[$0].writer == nil })
        try update(Self.renaming, Span(told.lazy.map { rows[$0] }.filter { !$0.isNew }))
        if told.contains(where: { rows[$0].isNew }) { try connection.execute(Self.opening) }
    }

    private func begin(_ count: Int) throws {
        guard count > 0 else { return }
        do {
            guard try connection.execute(Self.beginning) == count else { throw RowMoved() }
        } catch SQLState.uniqueViolation {
            throw RowMoved()
        }
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

    private func update(_ statement: String, _ span: Span) throws {
        guard span.count > 0 else { return }
        var updated = 0
        if span.isDense {
            try connection.script(Self.together)
            updated = try connection.execute(statement + " AND s.id BETWEEN $1 AND $2", [.int(span.first), .int(span.last)])
            try connection.script(Self.oneByOne)
        } else {
            updated = try connection.execute(statement)
        }
        guard updated == span.count else { throw RowMoved() }
    }

    private func copy(
        _ rows: [SessionRow], _ places: [Int], to table: String, columns: Int, _ write: (SessionRow, inout CopyWriter) throws -> Void
    ) throws {
        guard !places.isEmpty else { return }
        try connection.copyIn("COPY pg_temp.\(table) FROM STDIN (FORMAT binary)") { writer in
            for place in places {
                try writer.row(columns: columns)
                try write(rows[place], &writer)
            }
        }
    }
}

/// A row in the order of the columns of `ShipperStaging`.
extension SessionStore {
    private static func write(progress row: SessionRow, to writer: inout CopyWriter) throws {
        if let last = row.writer { try writer.int4(Int32(bitPattern: last)) } else { try writer.null() }
        try writer.int8(row.id)
        try writer.bool(row.isNew)
        try writer.int8(row.tenant)
        try write(growth: row.fold, to: &writer)
        try writer.timestampOrNull(row.fold.stoppedMicroseconds)
        try writer.textOrNull(row.fold.ending?.name)
        try writer.textOrNull(row.fold.terminateCause?.name)
    }

    private static func write(growth fold: SessionFold, to writer: inout CopyWriter) throws {
        try writer.timestamp(microsecondsSinceUnixEpoch: fold.startedMicroseconds)
        try writer.timestamp(microsecondsSinceUnixEpoch: fold.updatedMicroseconds)
        try writer.int8(Int64(clamping: fold.seconds))
        try writer.int8(Int64(clamping: fold.upload.total))
        try writer.int8(Int64(clamping: fold.download.total))
        try fold.withStateOctets { try writer.bytes($0) }
        try writer.timestampOrNull(fold.heardMicroseconds)
    }

    private static func write(header row: SessionRow, to writer: inout CopyWriter) throws {
        try writer.int8(row.id)
        try writer.bool(row.isNew)
        try writer.int8(row.tenant)
        try writer.int8(row.key.nas)
        try writer.bytes(row.key.octets)
        try writer.numberOrNull(row.subscriber)
        try writer.numberOrNull(row.profile)
        try writer.numberOrNull(row.forwardedRealm)
        try write(growth: row.fold, to: &writer)
        if let day = row.booked?.day { try writer.int4(day) } else { try writer.null() }
        let booked = row.booked?.usage ?? Usage()
        try writer.int8(Int64(clamping: booked.upload))
        try writer.int8(Int64(clamping: booked.download))
        try writer.int8(Int64(clamping: booked.seconds))
        try write(naming: row.naming ?? SessionNaming(), to: &writer)
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
        try writer.textOrNull(naming.framedInterfaceID.isEmpty ? nil : Hexadecimal.text(naming.framedInterfaceID))
        try writer.textOrNull(
            naming.classes.isEmpty ? nil : naming.classes.map { Hexadecimal.text($0) }.joined(separator: " "))
        try writer.address(naming.sourceAddress)
        if naming.operatorNAS.isEmpty { try writer.null() } else { try writer.bytes(naming.operatorNAS) }
    }
}

extension CopyWriter {
    mutating func textOrNull(_ value: String?) throws {
        if let value { try text(value) } else { try null() }
    }

    mutating func timestampOrNull(_ microseconds: Int64?) throws {
        if let microseconds { try timestamp(microsecondsSinceUnixEpoch: microseconds) } else { try null() }
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
