/// A bandwidth profile compiled to what goes on the wire: one template of encoded attributes for each vendor.
public final class ReplyProfile: Sendable {
    public let id: Int64
    public let tenant: Int64
    public let name: String
    public let rate: BandwidthRate
    /// 0 when the profile says nothing.
    public let sessionTimeoutSeconds: UInt32
    public let idleTimeoutSeconds: UInt32
    public let interimSeconds: UInt32
    /// Encoded Filter-Id attributes, in order.
    public let filters: [UInt8]
    /// Encoded rate and free attributes, by `NASVendor.rawValue`.
    private let templates: [[UInt8]]
    /// Encoded rate attributes for a CoA-Request; empty where none can express the rate.
    private let changes: [[UInt8]]
    /// Encoded free attributes.
    private let added: [[UInt8]]
    private let keyed: [[ReplyAttribute]]
    /// What could not be expressed as asked, by vendor.
    private let alarms: [[RateAlarm]]
    /// Where addresses come from that the subscriber does not bring itself.
    public let pools: ProfilePools
    /// Sessions at once of its subscribers without a limit of their own.
    public let sessionLimit: SessionLimit
    /// Templates and filters for the packet path.
    let wire: ReplyTemplates

    /// Renders the rate for every vendor, once.
    ///
    /// - Parameters:
    ///   - id: the row's.
    ///   - tenant: the owner's id.
    ///   - name: unique in the tenant.
    ///   - rate: bits per second, as the subscriber sees them.
    ///   - sessionTimeoutSeconds: 0 for none.
    ///   - idleTimeoutSeconds: 0 for none.
    ///   - interimSeconds: 0 leaves it to the tenant's policy.
    ///   - filters: encoded Filter-Id attributes, in order.
    ///   - free: encoded attributes that the operator added, for a vendor.
    ///   - keyed: added attributes that are encrypted for each packet, for a vendor.
    ///   - pools: where addresses come from.
    ///   - sessionLimit: sessions at once.
    public init(
        id: Int64, tenant: Int64, name: String, rate: BandwidthRate, sessionTimeoutSeconds: UInt32, idleTimeoutSeconds: UInt32,
        interimSeconds: UInt32, filters: [UInt8], free: (NASVendor) -> [UInt8], keyed: (NASVendor) -> [ReplyAttribute],
        pools: ProfilePools = ProfilePools(), sessionLimit: SessionLimit = .none
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.rate = rate
        self.sessionTimeoutSeconds = sessionTimeoutSeconds
        self.idleTimeoutSeconds = idleTimeoutSeconds
        self.interimSeconds = interimSeconds
        self.filters = filters
        let size = 1 + Int(NASVendor.allCases.map(\.rawValue).max() ?? 0)
        var templates = [[UInt8]](repeating: [], count: size)
        var changes = templates
        var additions = templates
        var hidden = [[ReplyAttribute]](repeating: [], count: size)
        var alarms = [[RateAlarm]](repeating: [], count: size)
        for vendor in NASVendor.allCases {
            let rendering = VendorRates.render(rate, for: vendor, in: .accept)
            let added = free(vendor)
            templates[Int(vendor.rawValue)] = rendering.attributes + added
            additions[Int(vendor.rawValue)] = added
            let change = VendorRates.render(rate, for: vendor, in: .coa)
            if VendorRates.canChangeByCoA(vendor), !change.attributes.isEmpty, !change.alarms.contains(where: \.losesRate) {
                changes[Int(vendor.rawValue)] = change.attributes
            }
            hidden[Int(vendor.rawValue)] = keyed(vendor)
            alarms[Int(vendor.rawValue)] = rendering.alarms
        }
        self.templates = templates
        self.changes = changes
        added = additions
        self.keyed = hidden
        self.alarms = alarms
        self.pools = pools
        self.sessionLimit = sessionLimit
        // What a pool gives is different for each packet, as what is encrypted is: both are written on the longer way.
        let isPooled = !pools.isEmpty
        wire = ReplyTemplates(templates, filters: filters, name: Array(name.utf8), keyed: hidden.map { isPooled || !$0.isEmpty })
    }

    deinit { wire.deallocate() }

    /// Encoded attributes for a NAS of `vendor`.
    public func template(for vendor: NASVendor) -> [UInt8] { templates[Int(vendor.rawValue)] }

    /// Encoded attributes that bring a running session to this profile by CoA; empty when only a new log-in can.
    ///
    /// - Parameters:
    ///   - vendor: make of the NAS.
    ///   - filters: encoded Filter-Id attributes instead of the profile's.
    /// - Returns: attributes for a CoA-Request.
    public func change(for vendor: NASVendor, filters: [UInt8]? = nil) -> [UInt8] {
        let rate = changes[Int(vendor.rawValue)]
        return rate.isEmpty ? [] : rate + (filters ?? self.filters) + added[Int(vendor.rawValue)]
    }

    /// Attributes to be hidden for each packet.
    public func keyedAttributes(for vendor: NASVendor) -> [ReplyAttribute] { keyed[Int(vendor.rawValue)] }

    /// What a NAS of `vendor` cannot be told exactly.
    public func rateAlarms(for vendor: NASVendor) -> [RateAlarm] { alarms[Int(vendor.rawValue)] }
}
