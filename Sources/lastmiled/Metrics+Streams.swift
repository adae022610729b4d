import RadiusCore

extension Metrics {
    mutating func addStreams(_ streams: StreamServer, clients: [NASClient]) {
        let census = streams.census.statistics
        let names = [Int64: NASClient](clients.map { ($0.id, $0) }) { first, _ in first }
        family("stream_connections", "gauge", "Connections of each NAS over TCP, TLS and DTLS.")
        for (presence, count) in census.open {
            let client = names[presence.client]
            let labels = [
                ("tenant", client.map { "\($0.tenant)" } ?? ""), ("nas", client?.name ?? ""), ("transport", presence.transport.name),
            ]
            sample("stream_connections", labels, count)
        }
        single("stream_handshaking", "gauge", "TLS handshakes under way.", census.handshaking)
        single("stream_handshakes_total", "counter", "TLS handshakes that ended well.", census.handshakes)
        family("stream_versions_total", "counter", "TLS handshakes that ended well, by the version of RADIUS that ALPN chose.")
        for (name, version) in [("1.1", RadiusVersions.v11), ("1.0", .v10), ("none", nil)] as [(String, RadiusVersions?)] {
            sample("stream_versions_total", [("version", name)], census.versions[version] ?? 0)
        }
        single("stream_undeliverable_total", "counter", "Replies whose connection had gone.", census.undeliverable)
        family("stream_accepted_total", "counter", "Connections that were begun.")
        for transport in StreamTransport.allCases {
            sample("stream_accepted_total", [("transport", transport.name)], census.accepted[transport] ?? 0)
        }
        family("stream_octets_total", "counter", "Octets over TCP, TLS and DTLS, those of TLS itself included.")
        for transport in StreamTransport.allCases {
            for (direction, count) in [("received", census.received[transport]), ("sent", census.sent[transport])] {
                sample("stream_octets_total", [("transport", transport.name), ("direction", direction)], count ?? 0)
            }
        }
        addReasons("stream_refused_total", "Connections that were refused, or ended for what the peer did.", census.refused)
        addReasons("stream_closed_total", "Connections that ended without a fault.", census.closed)
        if streams.servesDatagrams { addDatagrams(census) }
        if let certificates = streams.certificates {
            let isBroken = certificates.isBroken ? 1 : 0
            single("radsec_certificates_broken", "gauge", "1 when the last look at the files of radsec failed.", isBroken)
        }
        if let end = streams.certificates?.current?.notAfter {
            single("radsec_certificate_end_seconds", "gauge", "Unix time at which the first of RadSec's certificates ends.", end)
        }
    }

    private mutating func addDatagrams(_ census: StreamCensus.Statistics) {
        let asked = census.helloVerifyRequests
        single("dtls_hello_verify_requests_total", "counter", "ClientHellos of DTLS that were answered with a cookie.", asked)
        family("dtls_dropped_total", "counter", "Datagrams that came to the port of DTLS and did nothing.")
        for drop in DTLSDrop.allCases { sample("dtls_dropped_total", [("reason", drop.word)], census.dropped[drop] ?? 0) }
    }

    private mutating func addReasons(_ name: String, _ help: String, _ counts: [StreamTransport: [String: UInt64]]) {
        family(name, "counter", help)
        for transport in StreamTransport.allCases {
            for (reason, count) in (counts[transport] ?? [:]).sorted(by: { $0.key < $1.key }) {
                sample(name, [("transport", transport.name), ("reason", reason)], count)
            }
        }
    }
}
