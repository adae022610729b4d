import RadiusCore

extension Metrics {
    mutating func addProxy(
        _ proxy: ProxyService, _ accounting: AccountingForwarder.Statistics?, _ dynamicAuthorization: DynamicAuthorizationPort?
    ) {
        let reports = proxy.reports
        single("proxy_refused_total", "counter", "Requests not forwarded because as many were on their way as may be.", proxy.refused)
        if let accounting { addForwarding(accounting) }
        if let dynamicAuthorization {
            single(
                "coa_unknown_sources_total", "counter", "CoA and Disconnect requests dropped because no home server has their address.",
                dynamicAuthorization.unknownSources)
        }
        guard !reports.isEmpty else { return }
        func labels(_ report: ProxyService.HomeServerReport) -> [(String, String)] {
            [("tenant", "\(report.server.tenant)"), ("home_server", report.server.name)]
        }
        family("home_server_packets_total", "counter", "What went to and came from each home server.")
        for report in reports {
            for counter in HomeServerCounter.allCases {
                sample("home_server_packets_total", labels(report) + [("kind", counter.name)], report.meter[counter])
            }
        }
        family("home_server_state", "gauge", "Whether each home server is alive, a zombie or dead: 1 for what it is.")
        for report in reports {
            for state in HomeServerLiveness.State.allCases {
                sample("home_server_state", labels(report) + [("state", state.name)], report.meter.state == state ? 1 : 0)
            }
        }
        family("home_server_latency_seconds", "gauge", "Smoothed time from a request to its reply.")
        for report in reports { sample("home_server_latency_seconds", labels(report), Double(report.meter.latencyMicroseconds) / 1e6) }
        family("home_server_outstanding", "gauge", "Requests that wait for replies.")
        for report in reports { sample("home_server_outstanding", labels(report), report.meter.outstanding) }
    }

    private mutating func addForwarding(_ accounting: AccountingForwarder.Statistics) {
        single("proxy_accounting_waiting", "gauge", "Accounting records that no home server has acknowledged yet.", accounting.waiting)
        family("proxy_accounting_records_total", "counter", "Accounting records on their way to home servers.")
        let counts = [
            ("forwarded", accounting.forwarded), ("acknowledged", accounting.acknowledged), ("unanswered", accounting.failures),
            ("expired", accounting.expired), ("declined", accounting.declined), ("looped", accounting.looped), ("lost", accounting.lost),
        ]
        for (kind, count) in counts { sample("proxy_accounting_records_total", [("kind", kind)], count) }
    }
}
