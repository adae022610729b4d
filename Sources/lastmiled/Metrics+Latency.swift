import RadiusCore

extension Metrics {
    /// How long answers to log-ins took, from their arrival until they were signed, the reject delay aside.
    mutating func addLatency(_ parts: Parts) {
        guard let server = parts.server else { return }
        let workers = server.counters + (parts.streams?.counters ?? [])
        family("radius_access_seconds", "histogram", "Time from a log-in's arrival to its signed answer; the reject delay comes on top.")
        for path in LatencyCells.Path.allCases {
            let read = workers.map { $0.latency.read(path) }
            var total: UInt64 = 0
            for (position, bound) in LatencyCells.bounds.enumerated() {
                total = read.reduce(total) { $0 + $1.counts[position] }
                sample("radius_access_seconds_bucket", [("path", path.name), ("le", "\(Double(bound) / 1_000_000)")], total)
            }
            total = read.reduce(total) { $0 + ($1.counts.last ?? 0) }
            sample("radius_access_seconds_bucket", [("path", path.name), ("le", "+Inf")], total)
            let sum = Double(read.reduce(0) { $0 + $1.microseconds }) / 1_000_000
            sample("radius_access_seconds_sum", [("path", path.name)], sum)
            sample("radius_access_seconds_count", [("path", path.name)], total)
        }
    }

    /// Series of one family, at most; beyond it the counts of all NAS together still tell.
    private static let reasonSeries = 5000

    /// Why each NAS was told no, or nothing. Only what has happened makes a series.
    mutating func addReasons(_ clients: [NASClient]) {
        var series = 0
        family("nas_rejects_total", "counter", "Access-Rejects to each NAS, by reason.")
        for client in clients where series < Self.reasonSeries {
            for (reason, count) in client.observation.refusals.rejects {
                sample("nas_rejects_total", [("tenant", "\(client.tenant)"), ("nas", client.name), ("reason", reason.name)], count)
                series += 1
            }
        }
        series = 0
        family("nas_drops_total", "counter", "Packets of each NAS dropped in silence, by reason.")
        for client in clients where series < Self.reasonSeries {
            for (reason, count) in client.observation.refusals.drops {
                sample("nas_drops_total", [("tenant", "\(client.tenant)"), ("nas", client.name), ("reason", "\(reason)")], count)
                series += 1
            }
        }
    }
}
