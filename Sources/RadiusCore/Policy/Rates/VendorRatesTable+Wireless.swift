/// Radio controllers, fixed wireless, and equipment at the edge.
extension VendorRatesTable {
    static func wireless(_ vendor: NASVendor) -> VendorRatesTable {
        switch vendor {
        case .airespace: airespace
        case .aruba:
            VendorRatesTable(
                change: .byCoA,
                rows: [.sharedPolicy("Aruba-User-Role", 14823, 1, limit: 63, from: "ArubaOS user guide, bandwidth contracts")])
        case .cambium:
            VendorRatesTable(
                change: .byNewSession,
                rows: .pair(
                    "Cambium-ePMP-Max-Burst-Uplink-Rate", 26, "Cambium-ePMP-Max-Burst-Downlink-Rate", 27, of: 17713, in: .kilobit,
                    from: "Cambium ePMP user guide, RADIUS"))
        case .canopy: canopy
        case .airmax: airmax
        // Mimosa's 13 and 14 are strings of a format that no document gives; no rate is better than a guess.
        default: VendorRatesTable(change: .byNewSession, rows: [])
        }
    }

    /// Wireless LAN controllers; the burst contract repeats the average when there is no burst.
    private static var airespace: VendorRatesTable {
        let source = "Cisco WLC AAA override; dictionary.airespace"
        let rows: [VendorRatesRow] = [
            .integer("Airespace-Data-Bandwidth-Average-Contract-Upstream", 14179, 13, .rate, .upload, .kilobit, from: source),
            .integer("Airespace-Data-Bandwidth-Burst-Contract-Upstream", 14179, 15, .peak, .upload, .kilobit, from: source),
            .integer("Airespace-Data-Bandwidth-Average-Contract", 14179, 7, .rate, .download, .kilobit, from: source),
            .integer("Airespace-Data-Bandwidth-Burst-Contract", 14179, 9, .peak, .download, .kilobit, from: source),
        ]
        return VendorRatesTable(change: .byNewSession, rows: rows.map { $0.unconfirmed() })
    }

    /// PMP 450 and Canopy: sustained rate in kbit/s; the burst is an allocation in kbit, not a rate.
    private static var canopy: VendorRatesTable {
        let source = "Cambium PMP 450 configuration guide, RADIUS attributes"
        return VendorRatesTable(
            change: .byNewSession,
            rows: [
                .integer("Motorola-Canopy-ULBR", 161, 6, .rate, .upload, .kilobit, from: source),
                .integer("Motorola-Canopy-ULBL", 161, 7, .burstKilobits, .upload, .kilobit, from: source),
                .integer("Motorola-Canopy-DLBR", 161, 8, .rate, .download, .kilobit, from: source),
                .integer("Motorola-Canopy-DLBL", 161, 9, .burstKilobits, .download, .kilobit, from: source),
            ])
    }

    /// airOS, known by reverse engineering only. UniFi reads WISPr and is `ubiquiti`.
    private static var airmax: VendorRatesTable {
        let source = "FreeRADIUS dictionary.ubnt, reverse engineered"
        let rows: [VendorRatesRow] = [
            .integer("UBNT-Data-Rate-UL", 41112, 3, .rate, .upload, .bit, octets: 8, from: source),
            .integer("UBNT-Data-Rate-UL-Burst", 41112, 4, .burst, .upload, .bit, octets: 8, from: source),
            .integer("UBNT-Data-Rate-DL", 41112, 1, .rate, .download, .bit, octets: 8, from: source),
            .integer("UBNT-Data-Rate-DL-Burst", 41112, 2, .burst, .download, .bit, octets: 8, from: source),
        ]
        return VendorRatesTable(change: .byNewSession, rows: rows.map { $0.unconfirmed() })
    }

    static func edge(_ vendor: NASVendor) -> VendorRatesTable {
        switch vendor {
        case .hp:
            VendorRatesTable(
                change: .untested,
                rows: .pair(
                    "HP-Bandwidth-Max-Ingress", 46, "HP-Bandwidth-Max-Egress", 48, of: 11, in: .kilobit,
                    from: "HP ArubaOS-Switch Access Security Guide"))
        case .dlink:
            VendorRatesTable(
                change: .byNewSession,
                rows: Array<VendorRatesRow>.pair(
                    "Dlink-Ingress-Bandwidth-Assignment", 2, "Dlink-Egress-Bandwidth-Assignment", 3, of: 171, in: .kilobit,
                    from: "dictionary.dlink"
                ).map { $0.unconfirmed() })
        case .pfsense:
            VendorRatesTable(
                change: .byNewSession,
                rows: .pair(
                    "pfSense-Bandwidth-Max-Up", 1, "pfSense-Bandwidth-Max-Down", 2, of: 13644, in: .bit, from: "pfSense captive portal"))
        default:
            VendorRatesTable(
                change: .byCoA,
                rows: .pair(
                    "ChilliSpot-Bandwidth-Max-Up", 4, "ChilliSpot-Bandwidth-Max-Down", 5, of: 14559, in: .kilobit,
                    from: "CoovaChilli manual, RADIUS attributes"))
        }
    }
}

/// The shapes that rows come in.
extension VendorRatesRow {
    static func integer(
        _ name: String, _ vendor: UInt32, _ number: UInt16, _ quantity: Quantity, _ direction: RateDirection, _ unit: RateUnit,
        octets: Int = 4, when condition: Condition = .always, from source: String
    ) -> VendorRatesRow {
        VendorRatesRow(
            name: name, vendor: vendor, number: number, value: .integer(quantity, direction, unit, octets: octets),
            directions: [direction], condition: condition, source: source)
    }

    static func constant(
        _ name: String, _ vendor: UInt32, _ number: UInt16, _ value: UInt32, _ direction: RateDirection, from source: String
    ) -> VendorRatesRow {
        VendorRatesRow(name: name, vendor: vendor, number: number, value: .constant(value), directions: [direction], source: source)
    }

    static func text(
        _ name: String, _ vendor: UInt32, _ number: UInt16, _ template: String, _ direction: RateDirection,
        when condition: Condition = .always, from source: String
    ) -> VendorRatesRow {
        VendorRatesRow(
            name: name, vendor: vendor, number: number, value: .text([template]), directions: [direction], condition: condition,
            source: source)
    }

    static func policy(
        _ name: String, _ vendor: UInt32, _ number: UInt16, _ direction: RateDirection, limit: Int, from source: String
    ) -> VendorRatesRow {
        VendorRatesRow(
            name: name, vendor: vendor, number: number, value: .policy(direction, limit: limit), directions: [direction], source: source)
    }

    static func sharedPolicy(_ name: String, _ vendor: UInt32, _ number: UInt16, limit: Int, from source: String) -> VendorRatesRow {
        VendorRatesRow(
            name: name, vendor: vendor, number: number, value: .sharedPolicy(limit: limit), directions: [.upload, .download], source: source
        )
    }

    /// The same row, known only by hearsay.
    func unconfirmed() -> VendorRatesRow {
        var row = self
        row.isConfirmed = false
        return row
    }

    /// The same row in a vendor's own widths of type and length.
    func formatted(_ format: VendorFormat) -> VendorRatesRow {
        var row = self
        row.format = format
        return row
    }
}
