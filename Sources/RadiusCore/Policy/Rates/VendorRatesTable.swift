/// The vendors' rows. A new vendor is a case of `NASVendor` and its rows here or in the two files beside.
///
/// On an access server `input`, `ingress` and `rx` are what the subscriber uploads; `output`, `egress` and `tx` what it downloads.
extension VendorRatesTable {
    static func table(of vendor: NASVendor) -> VendorRatesTable {
        switch vendor {
        case .generic: wispr(.untested)
        case .wispr, .ruckus, .fortinet, .omada, .opnsense, .lancom, .ubiquiti: wispr(vendor.wisprChange)
        case .mikrotik: mikrotik
        case .ascend: ascend
        case .cisco: cisco
        case .ciscoASR9000: ciscoASR9000
        case .juniper: juniper
        case .nokia: nokia
        case .huawei: huawei
        case .netelastic: netelastic
        case .h3c: h3c
        case .zte: zte
        case .ericsson: ericsson
        case .starent: starent
        case .rtbrick, .vasexperts, .accelppp, .asn, .ikuai: softwareGateway(vendor)
        case .airespace, .aruba, .cambium, .canopy, .airmax, .mimosa: wireless(vendor)
        case .hp, .dlink, .pfsense, .chillispot: edge(vendor)
        }
    }

    /// WBA's attributes: 32 bits of bit/s.
    static func wispr(_ change: RateChange) -> VendorRatesTable {
        VendorRatesTable(
            change: change,
            rows: .pair(
                "WISPr-Bandwidth-Max-Up", 7, "WISPr-Bandwidth-Max-Down", 8, of: 14122, in: .bit, from: "WBA WISPr 1.0 best practices"))
    }

    /// RouterOS reads `rx/tx`: what the subscriber uploads stands first. Burst, threshold, time and priority follow by position.
    private static var mikrotik: VendorRatesTable {
        let row = VendorRatesRow(
            name: "Mikrotik-Rate-Limit", vendor: 14988, number: 8,
            value: .text([
                "{u.short}/{d.short} {u.burst}/{d.burst} {u.short}/{d.short} {seconds}/{seconds} {priority}",
                "{u.short}/{d.short} {u.burst}/{d.burst} {u.short}/{d.short} 1/1 {priority}",
                "{u.short}/{d.short} {u.burst}/{d.burst} {u.short}/{d.short} {seconds}/{seconds}",
                "{u.short}/{d.short} {u.burst}/{d.burst}",
                "{u.short}/{d.short} 0/0 0/0 0/0 {priority}",
                "{u.short}/{d.short}",
            ]),
            directions: [.upload, .download], zeroLifts: true, source: "MikroTik RouterOS manual, RADIUS Client")
        return VendorRatesTable(change: .byCoA, rows: [row])
    }

    private static var ascend: VendorRatesTable {
        VendorRatesTable(
            change: .untested,
            rows: .pair(
                "Ascend-Data-Rate", 197, "Ascend-Xmit-Rate", 255, of: 529, in: .bit, from: "MikroTik RouterOS manual, RADIUS Client"))
    }

    /// IOS and IOS XE. Names of policy maps when there are any; else a policer, which a running session takes as an added class.
    private static var cisco: VendorRatesTable {
        VendorRatesTable(
            change: .byCoA,
            rows: [
                .text("Cisco-AVPair", 9, 1, "ip:sub-qos-policy-in={u.policy}", .upload, from: "Cisco ISG configuration guide"),
                .text("Cisco-AVPair", 9, 1, "ip:sub-qos-policy-out={d.policy}", .download, from: "Cisco ISG configuration guide"),
                .rateLimit("input", "u", .upload), .rateLimit("output", "d", .download),
                .text(
                    "Cisco-AVPair", 9, 1, "qos-policy-in=add-class(sub,(class-default),police({u.bps}))", .upload,
                    when: .coaWithoutPolicy, from: "Cisco ISG guide, RADIUS-Based Policing"),
                .text(
                    "Cisco-AVPair", 9, 1, "qos-policy-out=add-class(sub,(class-default),shape({d.bps}))", .download,
                    when: .coaWithoutPolicy, from: "Cisco ISG guide, RADIUS-Based Policing"),
            ])
    }

    /// IOS XR knows policies by name; its parameterised form is not confirmed, so rates stay with the policy.
    private static var ciscoASR9000: VendorRatesTable {
        let rows = [
            VendorRatesRow.policy("Cisco-Sub-QoS-Pol-In", 9, 55, .upload, limit: 63, from: "dictionary.cisco"),
            .policy("Cisco-Sub-QoS-Pol-Out", 9, 56, .download, limit: 63, from: "dictionary.cisco"),
        ]
        return VendorRatesTable(change: .untested, rows: rows.map { $0.unconfirmed() })
    }

    /// MX and ERX (Unisphere's number space). Only the shaping rate towards the subscriber has an attribute.
    private static var juniper: VendorRatesTable {
        VendorRatesTable(
            change: .byCoA,
            rows: [
                .policy("ERX-Ingress-Policy-Name", 4874, 10, .upload, limit: 247, from: "JUNOSe Broadband Access guide, VSA 26-10"),
                .policy("ERX-Egress-Policy-Name", 4874, 11, .download, limit: 247, from: "JUNOSe Broadband Access guide, VSA 26-11"),
                .text(
                    "ERX-CoS-Shaping-Pmt-Type", 4874, 108, "T02 {d.bps}", .download, when: .withoutPolicy,
                    from: "Junos CoS subscriber access, VSA 26-108 tag 2"),
            ])
    }

    /// SR OS: overrides in kbit/s of ingress queue 1 and of the egress aggregate; the upload policy names the subscriber
    /// profile, the download policy the SLA profile.
    private static var nokia: VendorRatesTable {
        let guide = "SR OS RADIUS Attributes Reference 14.0"
        return VendorRatesTable(
            change: .byCoA,
            rows: [
                .policy("Alc-Subsc-Prof-Str", 6527, 12, .upload, limit: 16, from: guide),
                .policy("Alc-SLA-Prof-Str", 6527, 13, .download, limit: 16, from: guide),
                .text("Alc-Subscriber-QoS-Override", 6527, 126, "i:q:1:pir={u.kbps}", .upload, when: .always, from: guide),
                .text("Alc-Subscriber-QoS-Override", 6527, 126, "e:r:rate={d.kbps}", .download, when: .always, from: guide),
            ])
    }
}

extension NASVendor {
    /// Who of the makes that read WISPr also take it in a CoA-Request.
    fileprivate var wisprChange: RateChange {
        switch self {
        case .ruckus, .fortinet: .byCoA
        case .omada: .byNewSession
        default: .untested
        }
    }
}

extension VendorRatesRow {
    /// `rate-limit` under the virtual access interface; bursts are 1.5 s and 3 s of the rate, as the command's own guide advises.
    fileprivate static func rateLimit(_ side: String, _ direction: String, _ covered: RateDirection) -> VendorRatesRow {
        let template =
            "lcp:interface-config#1=rate-limit \(side) {\(direction).bps} {\(direction).normal} {\(direction).extended}"
            + " conform-action transmit exceed-action drop"
        var row = VendorRatesRow.text(
            "Cisco-AVPair", 9, 1, template, covered, when: .acceptWithoutPolicy, from: "Cisco IOS QoS command reference, rate-limit")
        row.maximum = 2_000_000_000
        row.step = 8000
        return row
    }
}
