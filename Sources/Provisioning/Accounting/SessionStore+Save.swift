import Database
import RadiusCore

extension SessionStore {
    /// All columns of `aaa.session`, which `aaa.session_history` has as well.
    static let columns = """
        id, tenant_id, nas_id, session_key, subscriber_id, profile_id, username, acct_session_id, multi_session_id, nas_identifier, \
        nas_address, nas_port, nas_port_id, nas_port_type, calling_station_id, called_station_id, framed_ipv4, framed_ipv6, \
        framed_ipv6_prefix, delegated_ipv6_prefix, framed_interface_id, class, source_address, started_at, updated_at, stopped_at, ended_by, \
        terminate_cause, session_seconds, upload_octets, download_octets, fold
        """

    /// Absent texts travel as '', absent numbers as -1 or as the smallest instant.
    private static let statement = """
        -- session.save
        INSERT INTO aaa.session (\(columns))
        SELECT n.id, n.tenant, n.nas, n.key, nullif(n.subscriber, 0), nullif(n.profile, 0), n.username, n.session, nullif(n.multi, ''),
            nullif(n.nas_identifier, ''), nullif(n.nas_address, '')::inet, nullif(n.port, -1), nullif(n.port_id, ''),
            nullif(n.port_type, -1)::integer, nullif(n.calling, ''), nullif(n.called, ''), nullif(n.ipv4, '')::inet,
            nullif(n.ipv6, '')::inet, nullif(n.prefix, '')::cidr, nullif(n.delegated, '')::cidr, nullif(n.interface, ''),
            nullif(n.class, ''), nullif(n.source, '')::inet, aaa.instant(n.started), aaa.instant(n.updated), aaa.instant(nullif(n.stopped, '\(Int64.min)'::bigint)),
            nullif(n.ended_by, ''), nullif(n.cause, ''), n.seconds, n.upload, n.download, n.fold
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::bigint[], $15::text[], $16::text[], $17::text[],
            $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::bigint[], $25::bigint[], $26::bigint[],
            $27::text[], $28::text[], $29::bigint[], $30::bigint[], $31::bigint[], $32::bytea[]) WITH ORDINALITY
            AS n(id, tenant, nas, key, subscriber, profile, username, session, multi, nas_identifier, nas_address, port, port_id,
            port_type, calling, called, ipv4, ipv6, prefix, delegated, interface, class, source, started, updated, stopped, ended_by, cause,
            seconds, upload, download, fold, place)
        ORDER BY n.place
        ON CONFLICT (id) DO UPDATE SET
            username = coalesce(nullif(excluded.username, ''), session.username),
            multi_session_id = coalesce(excluded.multi_session_id, session.multi_session_id),
            nas_identifier = coalesce(excluded.nas_identifier, session.nas_identifier),
            nas_address = coalesce(excluded.nas_address, session.nas_address),
            nas_port = coalesce(excluded.nas_port, session.nas_port),
            nas_port_id = coalesce(excluded.nas_port_id, session.nas_port_id),
            nas_port_type = coalesce(excluded.nas_port_type, session.nas_port_type),
            calling_station_id = coalesce(excluded.calling_station_id, session.calling_station_id),
            called_station_id = coalesce(excluded.called_station_id, session.called_station_id),
            framed_ipv4 = coalesce(excluded.framed_ipv4, session.framed_ipv4),
            framed_ipv6 = coalesce(excluded.framed_ipv6, session.framed_ipv6),
            framed_ipv6_prefix = coalesce(excluded.framed_ipv6_prefix, session.framed_ipv6_prefix),
            delegated_ipv6_prefix = coalesce(excluded.delegated_ipv6_prefix, session.delegated_ipv6_prefix),
            framed_interface_id = coalesce(excluded.framed_interface_id, session.framed_interface_id),
            class = coalesce(excluded.class, session.class),
            source_address = coalesce(excluded.source_address, session.source_address), started_at = excluded.started_at, updated_at = excluded.updated_at,
            stopped_at = excluded.stopped_at, ended_by = excluded.ended_by, terminate_cause = excluded.terminate_cause,
            session_seconds = excluded.session_seconds, upload_octets = excluded.upload_octets,
            download_octets = excluded.download_octets, fold = excluded.fold
        """

    /// Writes what the batch changed. Closed sessions go first, so that a new one under the same key finds its place free.
    func save(_ rows: [SessionRow]) throws {
        let changed = rows.filter(\.isChanged)
        let ordered = changed.filter { !$0.fold.isOpen } + changed.filter(\.fold.isOpen)
        guard !ordered.isEmpty else { return }
        try connection.execute(Self.statement, Self.identity(ordered) + Self.places(ordered) + Self.progress(ordered))
    }

    private static func identity(_ rows: [SessionRow]) -> [SQLValue] {
        [
            .intArray(rows.map(\.id)), .intArray(rows.map(\.tenant)), .intArray(rows.map(\.key.nas)),
            .bytesArray(rows.map(\.key.octets)), .intArray(rows.map(\.subscriber)), .intArray(rows.map(\.profile)),
            .textArray(rows.map(\.identity.username)), .textArray(rows.map(\.identity.sessionID)),
            .textArray(rows.map(\.identity.multiSessionID)), .textArray(rows.map(\.identity.nasIdentifier)),
            .textArray(rows.map(\.identity.nasAddress)), .intArray(rows.map(\.identity.nasPort)),
            .textArray(rows.map(\.identity.nasPortID)), .intArray(rows.map(\.identity.nasPortType)),
        ]
    }

    private static func places(_ rows: [SessionRow]) -> [SQLValue] {
        [
            .textArray(rows.map(\.identity.callingStationID)), .textArray(rows.map(\.identity.calledStationID)),
            .textArray(rows.map(\.identity.framedIPv4)), .textArray(rows.map(\.identity.framedIPv6)),
            .textArray(rows.map(\.identity.framedIPv6Prefix)), .textArray(rows.map(\.identity.delegatedIPv6Prefix)),
            .textArray(rows.map(\.identity.framedInterfaceID)), .textArray(rows.map(\.identity.classes)),
            .textArray(rows.map(\.identity.sourceAddress)),
        ]
    }

    private static func progress(_ rows: [SessionRow]) -> [SQLValue] {
        [
            .intArray(rows.map(\.fold.startedMicroseconds)), .intArray(rows.map(\.fold.updatedMicroseconds)),
            .intArray(rows.map { $0.fold.stoppedMicroseconds ?? .min }), .textArray(rows.map { $0.fold.ending?.name ?? "" }),
            .textArray(rows.map { $0.fold.terminateCause?.name ?? "" }), .intArray(rows.map { Int64(clamping: $0.fold.seconds) }),
            .intArray(rows.map { Int64(clamping: $0.fold.upload.total) }), .intArray(rows.map { Int64(clamping: $0.fold.download.total) }),
            .bytesArray(rows.map(\.fold.stateOctets)),
        ]
    }
}
