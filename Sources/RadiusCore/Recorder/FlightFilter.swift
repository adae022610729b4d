/// Which transactions are wanted.
public struct FlightFilter: Sendable {
    public var tenant: Int64
    /// Nil: every NAS.
    public var nas: Int64?
    /// User-Name, octet by octet; nil: everybody.
    public var userName: [UInt8]?
    /// A transaction of this subscriber counts as the user's, whatever its User-Name says: EAP shows another outside its tunnel. 0: nobody.
    public var subscriber: Int64 = 0
    /// Calling-Station-Id: a hardware address in any notation, else the text itself; nil: every station.
    public var station: [UInt8]?

    public init(tenant: Int64) {
        self.tenant = tenant
    }

    /// What can be told from the header alone.
    func admits(_ header: FlightHeader) -> Bool {
        header.tenant == tenant && (nas == nil || header.nas == nas)
    }

    func admits(_ record: FlightRecord) -> Bool {
        guard admits(record.header) else { return false }
        if let userName {
            let isSubscriber = subscriber != 0 && record.header.subscriber == subscriber
            guard isSubscriber || record.value(AttributeNumber.userName).map({ $0.elementsEqual(userName) }) == true else { return false }
        }
        guard let station else { return true }
        guard let value = record.value(AttributeNumber.callingStationID) else { return false }
        if value.elementsEqual(station) { return true }
        guard let wanted = HardwareAddress(station.span), let found = HardwareAddress(Array(value).span) else { return false }
        return wanted == found
    }
}
