/// The makes of access server whose rate attributes and CoA habits differ.
///
/// `name` is what the configuration and the `vendor` column of a NAS say; raw values are stable but never stored.
public enum NASVendor: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
    /// No make known: the WISPr attributes, which most equipment reads.
    case generic
    case mikrotik, cisco, ciscoASR9000, airespace, juniper, huawei, netelastic, h3c, zte, nokia, ericsson, starent
    case cambium, canopy, ubiquiti, airmax, mimosa, ruckus, aruba, hp, pfsense, opnsense, dlink, rtbrick, vasexperts
    case asn, ikuai, chillispot, accelppp, wispr, omada, fortinet, lancom, ascend

    /// Lower case letters and digits, such as `mikrotik`.
    public var name: String { String(describing: self).lowercased() }

    /// Every name, in the order of the cases.
    public static var names: [String] { allCases.map(\.name) }

    /// - Parameter name: one of `names`, in any case.
    public init?(name: String) {
        let wanted = name.lowercased()
        guard let found = Self.allCases.first(where: { $0.name == wanted }) else { return nil }
        self = found
    }
}
