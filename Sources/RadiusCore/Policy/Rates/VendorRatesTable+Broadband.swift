/// Broadband gateways that count by number: average and peak, both directions.
extension VendorRatesTable {
    static var huawei: VendorRatesTable {
        VendorRatesTable(
            change: .byCoA,
            rows: .averageAndPeak(of: 2011, prefix: "Huawei", from: "Huawei NE40E/ME60 BRAS AAA guide") + [
                .policy("Huawei-Qos-Profile-Name", 2011, 31, .upload, limit: 63, from: "Huawei NE40E/ME60 BRAS AAA guide"),
                .policy("Huawei-Down-QOS-Profile-Name", 2011, 182, .download, limit: 63, from: "Huawei NE40E/ME60 BRAS AAA guide"),
            ])
    }

    /// The same model as Huawei's; no document of its own confirms bit/s.
    static var netelastic: VendorRatesTable {
        let rates: [VendorRatesRow] = .averageAndPeak(of: 54268, prefix: "NetElastic", from: "dictionary.netelastic")
        let profile = VendorRatesRow.sharedPolicy("NetElastic-Qos-Profile-Name", 54268, 31, limit: 247, from: "dictionary.netelastic")
        return VendorRatesTable(change: .untested, rows: rates.map { $0.unconfirmed() } + [profile])
    }

    /// The order of peak and average differs from Huawei's. A running session changes by the name of a subscriber profile only.
    static var h3c: VendorRatesTable {
        let guide = "H3C attributes, Comware AAA configuration guide"
        return VendorRatesTable(
            change: .byCoA,
            rows: [
                .integer("H3C-Input-Average-Rate", 25506, 2, .rate, .upload, .bit, when: .accept, from: guide),
                .integer("H3C-Input-Peak-Rate", 25506, 1, .peak, .upload, .bit, when: .accept, from: guide),
                .integer("H3C-Output-Average-Rate", 25506, 5, .rate, .download, .bit, when: .accept, from: guide),
                .integer("H3C-Output-Peak-Rate", 25506, 4, .peak, .download, .bit, when: .accept, from: guide),
                .sharedPolicy("H3C-Subscriber-Profile", 25506, 252, limit: 31, from: guide),
            ])
    }

    /// Panels in the field send bit/s here; no document says so.
    static var zte: VendorRatesTable {
        VendorRatesTable(
            change: .untested,
            rows: [
                VendorRatesRow.integer("ZTE-Rate-Ctrl-SCR-Up", 3902, 89, .rate, .upload, .bit, from: "dictionary.zte; field use")
                    .unconfirmed(),
                .integer("ZTE-Rate-Ctrl-SCR-Down", 3902, 83, .rate, .download, .bit, from: "dictionary.zte; field use").unconfirmed(),
                .policy("ZTE-QOS-Profile-Up", 3902, 94, .upload, limit: 247, from: "dictionary.zte"),
                .policy("ZTE-QoS-Profile-Down", 3902, 82, .download, limit: 247, from: "dictionary.zte"),
            ])
    }

    /// SmartEdge: a policing policy meets what comes in, a metering policy what goes out.
    static var ericsson: VendorRatesTable {
        let source = "dictionary.ericsson.ab"
        return VendorRatesTable(
            change: .untested,
            rows: [
                .policy("Qos-Policing-Profile-Name", 2352, 87, .upload, limit: 247, from: source),
                .policy("Qos-Metering-Profile-Name", 2352, 88, .download, limit: 247, from: source),
                VendorRatesRow.text("QOS-Rate-Inbound", 2352, 156, "{u.kbps}", .upload, when: .always, from: source).unconfirmed(),
                .text("QOS-Rate-Outbound", 2352, 157, "{d.kbps}", .download, when: .always, from: source).unconfirmed(),
            ])
    }

    /// ASR 5000: a switch (1 = policing), committed and peak rate in bit/s, burst in octets; type and length take two octets each.
    static var starent: VendorRatesTable {
        let guide = "Cisco ASR 5000 AAA Interface Administration and Reference"
        let rows: [VendorRatesRow] = [
            .constant("SN-QoS-Tp-Uplk", 8164, 79, 1, .upload, from: guide),
            .integer("SN-Tp-Uplk-Committed-Data-Rate", 8164, 80, .rate, .upload, .bit, from: guide),
            .integer("SN-Tp-Uplk-Peak-Data-Rate", 8164, 81, .peak, .upload, .bit, from: guide),
            .integer("SN-Tp-Uplk-Burst-Size", 8164, 82, .burstOctets, .upload, .bit, from: guide),
            .constant("SN-QoS-Tp-Dnlk", 8164, 73, 1, .download, from: guide),
            .integer("SN-Tp-Dnlk-Committed-Data-Rate", 8164, 74, .rate, .download, .bit, from: guide),
            .integer("SN-Tp-Dnlk-Peak-Data-Rate", 8164, 75, .peak, .download, .bit, from: guide),
            .integer("SN-Tp-Dnlk-Burst-Size", 8164, 76, .burstOctets, .download, .bit, from: guide),
        ]
        return VendorRatesTable(change: .byNewSession, rows: rows.map { $0.formatted(VendorFormat(typeOctets: 2, lengthOctets: 2)) })
    }

    /// Gateways in software.
    static func softwareGateway(_ vendor: NASVendor) -> VendorRatesTable {
        switch vendor {
        case .rtbrick:
            VendorRatesTable(
                change: .byCoA, rows: [.sharedPolicy("RtBrick-QoS-Profile", 50058, 62, limit: 247, from: "RBFS RADIUS Services Guide")])
        case .vasexperts:
            VendorRatesTable(
                change: .byCoA, rows: [.sharedPolicy("VasExperts-Policing-Profile", 43823, 1, limit: 247, from: "dictionary.vasexperts")])
        case .accelppp:
            VendorRatesTable(change: .byCoA, rows: [.filterID])
        case .asn:
            VendorRatesTable(
                change: .untested, rows: .pair("ASN-Kbps-Up", 101, "ASN-Kbps-Down", 100, of: 23782, in: .kilobit, from: "dictionary.asn"))
        default:
            VendorRatesTable(
                change: .untested,
                rows: Array<VendorRatesRow>.pair(
                    "RP-Upstream-Speed-Limit", 1, "RP-Downstream-Speed-Limit", 2, of: 10055, in: .kilobit,
                    from: "dictionary.roaringpenguin; field use"
                ).map { $0.unconfirmed() })
        }
    }
}

extension VendorRatesRow {
    /// accel-ppp's shaper reads `down/up` in kbit/s from Filter-Id.
    fileprivate static var filterID: VendorRatesRow {
        VendorRatesRow(
            name: "Filter-Id", vendor: 0, number: 11, value: .text(["{d.kbps}/{u.kbps}"]), directions: [.upload, .download],
            source: "accel-ppp manual, [shaper]")
    }
}

extension [VendorRatesRow] {
    /// Two 32-bit attributes, one a direction.
    static func pair(
        _ up: String, _ upNumber: UInt16, _ down: String, _ downNumber: UInt16, of vendor: UInt32, in unit: RateUnit, from source: String
    ) -> [VendorRatesRow] {
        [
            .integer(up, vendor, upNumber, .rate, .upload, unit, from: source),
            .integer(down, vendor, downNumber, .rate, .download, unit, from: source),
        ]
    }

    /// Huawei's four: input average 2 and peak 3, output average 5 and peak 6.
    static func averageAndPeak(of vendor: UInt32, prefix: String, from source: String) -> [VendorRatesRow] {
        [
            .integer("\(prefix)-Input-Average-Rate", vendor, 2, .rate, .upload, .bit, from: source),
            .integer("\(prefix)-Input-Peak-Rate", vendor, 3, .peak, .upload, .bit, from: source),
            .integer("\(prefix)-Output-Average-Rate", vendor, 5, .rate, .download, .bit, from: source),
            .integer("\(prefix)-Output-Peak-Rate", vendor, 6, .peak, .download, .bit, from: source),
        ]
    }
}
