/// By which attributes each vendor finds a session.
///
/// A NAS must refuse when any attribute of a request does not fit (RFC 5176 §3), so each vendor gets what it needs and little more.
public struct VendorIdentification: Sendable {
    /// The first of these whose members are all known is sent.
    public let alternatives: [[IdentityKey]]
    /// Sent besides, when known.
    public let extras: [IdentityKey]
    /// Where that comes from.
    public let source: String

    /// The habits of the make of NAS that holds the session.
    public static func of(_ vendor: NASVendor) -> VendorIdentification {
        switch vendor {
        case .mikrotik: mikrotik
        case .cisco, .ciscoASR9000: cisco
        case .nokia: nokia
        case .juniper, .huawei, .netelastic, .h3c, .zte, .ericsson, .starent, .rtbrick: gateway
        case .airespace, .aruba, .ruckus, .omada, .ubiquiti, .cambium, .canopy, .airmax, .mimosa, .hp, .dlink, .lancom: station
        case .generic, .wispr, .fortinet, .opnsense, .pfsense, .chillispot, .accelppp, .vasexperts, .asn, .ikuai, .ascend: standard
        }
    }

    /// What to send for `identity`.
    ///
    /// - Returns: keys in the order of their attribute numbers; nil when no alternative is known in full.
    public func keys(for identity: SessionIdentity) -> [IdentityKey]? {
        let known = { (key: IdentityKey) in identity.attribute(key) != nil }
        guard let chosen = alternatives.first(where: { $0.allSatisfy(known) }) else { return nil }
        var wanted = Set(chosen + extras.filter(known))
        if identity.sharesAddress, known(.nasIdentifier) { wanted.insert(.nasIdentifier) }
        return IdentityKey.allCases.filter(wanted.contains)
    }

    /// Hotspot sessions are found by address only; NAS attributes are left out because routers behind a translator refuse them.
    private static let mikrotik = VendorIdentification(
        alternatives: [[.acctSessionID], [.framedIPAddress, .userName], [.callingStationID, .userName]],
        extras: [.userName, .framedIPAddress], source: "MikroTik RouterOS manual, RADIUS incoming")

    private static let cisco = VendorIdentification(
        alternatives: [[.acctSessionID], [.framedIPAddress, .userName], [.callingStationID]], extras: [],
        source: "Cisco ISG configuration guide, CoA session identification")

    /// SR OS takes one of its keys, not a mixture.
    private static let nokia = VendorIdentification(
        alternatives: [[.acctSessionID], [.framedIPAddress, .nasPortID]], extras: [], source: "SR OS RADIUS Attributes Reference, CoA keys")

    private static let gateway = VendorIdentification(
        alternatives: [[.acctSessionID], [.framedIPAddress, .userName]], extras: [.userName], source: "RFC 5176 §3; vendors' BRAS guides")

    /// Radio and switch ports know the station, whose name may be shared by many sessions.
    private static let station = VendorIdentification(
        alternatives: [[.callingStationID], [.acctSessionID], [.framedIPAddress, .userName]],
        extras: [.userName, .acctSessionID], source: "RFC 5176 §3, RFC 3580 §3.20")

    private static let standard = VendorIdentification(
        alternatives: [[.acctSessionID], [.framedIPAddress, .userName], [.callingStationID, .userName]],
        extras: [.userName, .nasAddress, .nasIdentifier, .framedIPAddress], source: "RFC 5176 §3")
}
