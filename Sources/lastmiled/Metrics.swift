import Database
import Provisioning
import RadiusCore
import Synchronization

/// The daemon's figures in Prometheus' text format, version 0.0.4.
struct Metrics {
    private var text = ""

    static func render(_ parts: Parts) -> String {
        var metrics = Metrics()
        metrics.addServer(parts)
        if let streams = parts.streams { metrics.addStreams(streams, clients: parts.feed.store.snapshot.clients.clients) }
        if let proxy = parts.server?.environment.proxy { metrics.addProxy(proxy, parts.forwarder?.statistics, parts.dynamicAuthorization) }
        metrics.addClients(parts)
        metrics.addLatency(parts)
        metrics.addReasons(parts.feed.store.snapshot.clients.clients)
        metrics.addSnapshot(parts)
        metrics.addAccounting(parts)
        metrics.addAddresses(parts)
        metrics.addSessionLimits(parts)
        metrics.addQuotas(parts.quotas.state)
        metrics.addNames(parts.names.state)
        metrics.addHooks(parts)
        metrics.addDatabase(parts)
        return metrics.text
    }

    mutating func family(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP lastmile_\(name) \(help)\n# TYPE lastmile_\(name) \(kind)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: some CustomStringConvertible) {
        text += "lastmile_\(name)"
        if !labels.isEmpty { text += "{" + labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}" }
        text += " \(value)\n"
    }

    mutating func single(_ name: String, _ kind: String, _ help: String, _ value: some CustomStringConvertible) {
        family(name, kind, help)
        sample(name, [], value)
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private mutating func addServer(_ parts: Parts) {
        guard let server = parts.server else { return }
        let workers = server.counters + (parts.streams?.counters ?? [])
        family("radius_packets_total", "counter", "What the packet path did.")
        for counter in ServerCounter.allCases {
            sample("radius_packets_total", [("kind", counter.name)], workers.reduce(0) { $0 + $1[counter] })
        }
        family("radius_drops_total", "counter", "Packets dropped in silence, by reason.")
        for drop in DecodeError.allCases {
            sample("radius_drops_total", [("reason", "\(drop)")], workers.reduce(0) { $0 + $1[drop] })
        }
        family("radius_answers_total", "counter", "Access-Requests answered, by reason.")
        for reason in AccessReason.allCases {
            sample("radius_answers_total", [("reason", reason.name)], workers.reduce(0) { $0 + $1[reason] })
        }
        addSlowChecks(server.environment.slowChecks.statistics)
        if let eap = server.environment.eap { addEAP(eap) }
        addSockets(server)
    }

    private mutating func addSlowChecks(_ checks: SlowChecks.Statistics) {
        single("slow_checks_waiting", "gauge", "Slow password checks that wait.", checks.waiting)
        single("slow_checks_running", "gauge", "Slow password checks that a thread is at.", checks.running)
        single("slow_checks_done_total", "counter", "Slow password checks that ended.", checks.done)
        family("slow_checks_refused_total", "counter", "Slow password checks refused: the queue, or the client's half of it, was full.")
        sample("slow_checks_refused_total", [("reason", "queue_full")], checks.refusedFull)
        sample("slow_checks_refused_total", [("reason", "client_share")], checks.refusedClientShare)
        single("slow_checks_expired_total", "counter", "Slow password checks dropped because they waited too long.", checks.expired)
        let waited = Double(checks.waitedNanoseconds) / 1e9
        single("slow_checks_waited_seconds_total", "counter", "Time spent waiting by all that left the queue.", waited)
    }

    private mutating func addSockets(_ server: RadiusServer) {
        let queues = server.receiveQueues
        let ports = [("auth", queues.authentication), ("acct", queues.accounting)]
        family("radius_kernel_drops_total", "counter", "Datagrams that the kernel lost because a receive queue was full.")
        for (port, queue) in ports { sample("radius_kernel_drops_total", [("port", port)], queue.dropped) }
        family("radius_receive_queue_octets", "gauge", "Memory that datagrams take which no worker has read yet.")
        for (port, queue) in ports { sample("radius_receive_queue_octets", [("port", port)], queue.octets) }
        family("radius_receive_queue_limit_octets", "gauge", "Memory that the kernel grants for them.")
        for (port, queue) in ports { sample("radius_receive_queue_limit_octets", [("port", port)], queue.limit) }
        single(
            "radius_steered", "gauge", "1 when requests of one source port are spread over the workers, or there is one worker.",
            server.steering.warning == nil ? 1 : 0)
    }

    private mutating func addClients(_ parts: Parts) {
        let clients = parts.feed.store.snapshot.clients.clients
        family("nas_answers_total", "counter", "Answers to each NAS.")
        for client in clients {
            let answers = [
                ("accept", client.observation.accepts.load(ordering: .relaxed)),
                ("reject", client.observation.rejects.load(ordering: .relaxed)),
                ("accounting", client.observation.accountingResponses.load(ordering: .relaxed)),
                ("dropped", client.observation.drops.load(ordering: .relaxed)),
                ("rate_limited", client.observation.rateLimited.load(ordering: .relaxed)),
                ("shed", client.observation.shed.load(ordering: .relaxed)),
            ]
            for (kind, count) in answers {
                sample("nas_answers_total", [("tenant", "\(client.tenant)"), ("nas", client.name), ("kind", kind)], count)
            }
        }
        family("nas_last_seen_seconds", "gauge", "Unix time of the last verified packet of each NAS; 0 for none since the start.")
        for client in clients {
            let labels = [("tenant", "\(client.tenant)"), ("nas", client.name)]
            sample("nas_last_seen_seconds", labels, client.observation.lastSeenSeconds.load(ordering: .relaxed))
        }
    }

    private mutating func addSnapshot(_ parts: Parts) {
        let state = parts.feed.state
        let snapshot = parts.feed.store.snapshot
        single("snapshot_subscribers", "gauge", "Subscribers in memory.", snapshot.subscribers.count)
        single("snapshot_octets", "gauge", "Memory of the subscribers' index.", snapshot.subscribers.memoryOctets)
        single("snapshot_connected", "gauge", "1 while the snapshot follows the database, and it answers.", state.isAnswered ? 1 : 0)
        single("snapshot_changes_total", "counter", "Changes taken over.", state.changes)
        single("snapshot_loads_total", "counter", "Full loads.", state.loads)
        single("snapshot_loading", "gauge", "1 while everything is being read from the database.", state.isLoading ? 1 : 0)
        single("snapshot_lag_seconds", "gauge", "Age of the oldest change of the last batch.", Double(state.lagMicroseconds) / 1_000_000)
        single(
            "snapshot_behind_seconds", "gauge", "How long the snapshot may be behind the database; grows while it is away.",
            state.behindSeconds)
        single(
            "snapshot_problems", "gauge",
            "What answers lack of what was asked for (left out, clamped), until it is mended; the log names it.", state.problems.count)
    }

    private mutating func addAccounting(_ parts: Parts) {
        let journal = parts.journal.statistics()
        single("journal_records_total", "counter", "Accounting records made durable.", journal.records)
        single("journal_commits_total", "counter", "Batches made durable by one fdatasync each.", journal.commits)
        single("journal_sync_seconds_total", "counter", "Time spent in fdatasync.", Double(journal.syncNanoseconds) / 1e9)
        single("journal_refused_total", "counter", "Records refused, so that no response was sent.", journal.refused)
        single("journal_healthy", "gauge", "1 while the journal takes records.", parts.journal.state == .healthy ? 1 : 0)
        single("journal_segments", "gauge", "Files of the journal.", journal.segments)
        single("journal_pending_records", "gauge", "Records that wait for the disk and are not acknowledged.", journal.pending)
        single("journal_pending_bytes", "gauge", "Octets of them in memory; at 16 MiB records are refused.", journal.pendingOctets)
        single("journal_failures_total", "counter", "Writes and syncs that the disk refused and that were tried again.", journal.failures)
        let shipper = parts.shipper.statistics
        single("accounting_shipped_total", "counter", "Records in PostgreSQL.", shipper.records)
        single("accounting_duplicates_total", "counter", "Records that repeated another.", shipper.duplicates)
        single("accounting_rejected_total", "counter", "Records that PostgreSQL refused.", shipper.rejected)
        single("accounting_lost_total", "counter", "Records that the journal promised and no longer has.", shipper.lost)
        single("accounting_late_total", "counter", "Records that came behind their session's Stop.", shipper.late)
        single("accounting_skewed_total", "counter", "Records whose Event-Timestamp could not be true.", shipper.skewed)
        single("accounting_absurd_total", "counter", "Octet counters beyond 72 petabytes, left out of the totals.", shipper.absurd)
        single("accounting_batches_total", "counter", "Transactions that took records to PostgreSQL.", shipper.batches)
        single("accounting_rereads_total", "counter", "Batches begun again because another had changed a session.", shipper.rereads)
        single("accounting_retries_total", "counter", "Transactions that failed and were tried again.", shipper.retries)
        single("accounting_lag_bytes", "gauge", "Octets of the records that are not in PostgreSQL yet, about.", shipper.lagOctets)
        single("accounting_lag_records", "gauge", "Durable records that are not in PostgreSQL yet.", shipper.lagRecords)
        single("accounting_lag_seconds", "gauge", "Age of the oldest of them.", shipper.lagSeconds)
        if let log = parts.authLog?.statistics {
            single("auth_log_written_total", "counter", "Entries in the authentication log.", log.written)
            single("auth_log_dropped_total", "counter", "Entries lost to a full ring.", log.dropped)
            single("auth_log_lag_bytes", "gauge", "Octets of the entries that are not in PostgreSQL yet.", log.lagOctets)
        }
    }

    private mutating func addDatabase(_ parts: Parts) {
        let pool = parts.pool.metrics
        single("database_queue", "gauge", "Work that waits for a connection.", pool.queueDepth)
        single("database_connections_used", "gauge", "Connections at work.", pool.inUse)
        single("database_waits_total", "counter", "Work that found no free connection.", pool.waitsTotal)
        single("database_failures_total", "counter", "Work refused or given up, and failed attempts to connect.", pool.failuresTotal)
        let coa = parts.coa.counters
        family("coa_requests_total", "counter", "CoA and Disconnect requests, by what became of them.")
        addCoA("coa_requests_total", coa)
        single("coa_unverified_total", "counter", "Answers to CoA whose authenticator is wrong: mostly a wrong secret.", coa.unverified)
        guard let reverse = parts.streams?.reverse.counters else { return }
        family("coa_connection_requests_total", "counter", "Those over connections of the NAS, by what became of them.")
        addCoA("coa_connection_requests_total", reverse)
        let dropped = reverse.unmatched + reverse.wrongCode + reverse.malformed + reverse.unverified
        single("coa_connection_dropped_total", "counter", "What NAS sent over their connections that answers nothing.", dropped)
    }

    private mutating func addCoA(_ name: String, _ counters: CoACounters) {
        let outcomes = [("ack", counters.acks), ("nak", counters.naks), ("timeout", counters.timeouts), ("refused", counters.refused)]
        for (outcome, count) in outcomes { sample(name, [("outcome", outcome)], count) }
    }
}
