/// A request that rules are tried on: typed, or recorded.
public struct PolicyRequest: Sendable {
    /// An Access-Request whose lengths are right.
    let packet: [UInt8]
    public var method: AuthenticationMethod
    /// Since 1970.
    public var seconds: Int64
    /// User-Name; empty without one.
    public let userName: String
    /// Nothing but a name was typed: what the request tells of station and line says nothing.
    let isBare: Bool

    /// - Parameters:
    ///   - userName: becomes User-Name unless `attributes` has one.
    ///   - attributes: in order.
    ///   - dictionary: explains names and values.
    ///   - method: by which the password counts as proven; nil: EAP where `attributes` have EAP-Message, else PAP.
    ///   - seconds: when the request counts as sent, since 1970.
    /// - Throws: which attribute is wrong and why.
    public init(
        userName: String, attributes: [AttributeText] = [], dictionary: RadiusDictionary, method: AuthenticationMethod? = nil,
        seconds: Int64
    ) throws(AttributeTextError) {
        let hasName = attributes.contains { dictionary.attribute(named: $0.name)?.path == AttributePath(numbers: [1]) }
        let name = hasName || userName.isEmpty ? [] : [AttributeText(name: "User-Name", value: OctetText.string(Array(userName.utf8)))]
        packet = try PacketText.assemble(.accessRequest, identifier: 0, name + attributes, dictionary: dictionary)
        self.method = method ?? ((try? Self.method(of: packet)) == .eap ? .eap : .pap)
        self.seconds = seconds
        self.userName = Self.name(in: packet)
        isBare = attributes.isEmpty
    }

    /// - Parameters:
    ///   - packet: an Access-Request as it was received, padding included.
    ///   - seconds: when it counts as sent, since 1970.
    /// - Throws: why it is none.
    public init(recorded packet: [UInt8], seconds: Int64) throws(DecodeError) {
        let length = try PacketHeader.length(of: packet.span)
        guard PacketCode(rawValue: packet[0]) == .accessRequest else { throw .unsupportedCode }
        self.packet = Array(packet[..<length])
        method = .none
        self.seconds = seconds
        userName = Self.name(in: self.packet)
        isBare = false
        method = try Self.method(of: self.packet)
    }

    /// User-Name as it was sent; empty without one.
    var userNameOctets: [UInt8] { Self.nameRange(in: packet).map { Array(packet[$0]) } ?? [] }

    private static func name(in packet: [UInt8]) -> String {
        nameRange(in: packet).map { String(decoding: packet[$0], as: UTF8.self) } ?? ""
    }

    private static func nameRange(in packet: [UInt8]) -> Range<Int>? {
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let member = cursor.next(in: packet.span) { if member.type == UInt32(AttributeNumber.userName) { return member.range } }
        return nil
    }

    /// Lends the login as rules look at it. Values that they read point into it, so whatever is said of them must be made in `body`.
    ///
    /// - Parameters:
    ///   - subscriber: who logs in; nil on arrival.
    ///   - profileName: of the subscriber's own profile.
    ///   - level: that status and locks come to.
    ///   - client: the NAS that asks.
    ///   - body: gets the login.
    /// - Returns: what `body` does.
    func withLogin<T>(
        of subscriber: SubscriberRecord?, _ profileName: UnsafeRawBufferPointer, _ level: AccessLevel, at client: NASClient,
        _ body: (borrowing PolicyLogin) -> T
    ) -> T {
        var (name, huntgroup) = (client.name, client.huntgroup)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: packet.count)
        defer { copy.deallocate() }
        for (position, octet) in packet.enumerated() { (copy + position).initialize(to: octet) }
        let range = Self.nameRange(in: packet) ?? 0..<0
        let userName = UnsafeRawBufferPointer(start: copy + range.lowerBound, count: range.count)
        return name.withUTF8 { name in
            huntgroup.withUTF8 { huntgroup in
                body(
                    PolicyLogin(
                        packet: copy, count: packet.count, userName: subscriber?.name ?? userName, status: subscriber?.status,
                        profileName: profileName, level: level, nasName: UnsafeRawBufferPointer(name),
                        nasHuntgroup: UnsafeRawBufferPointer(huntgroup), nasVendor: client.vendor, nasAddress: client.network,
                        method: method, seconds: seconds))
            }
        }
    }

    /// By which proof the request brings; its attributes are checked on the way.
    private static func method(of packet: [UInt8]) throws(DecodeError) -> AuthenticationMethod {
        try with(packet) { AccessCredentials($0).method }
    }

    /// Lends the attributes of the packet.
    func withAttributes<T>(_ body: (RequestAttributes) -> T) throws(DecodeError) -> T { try Self.with(packet, body) }

    private static func with<T>(_ packet: [UInt8], _ body: (RequestAttributes) -> T) throws(DecodeError) -> T {
        let offsets = UnsafeMutablePointer<UInt16>.allocate(capacity: RequestAttributes.capacity)
        defer { offsets.deallocate() }
        offsets.initialize(repeating: 0, count: RequestAttributes.capacity)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: packet.count)
        defer { copy.deallocate() }
        for (position, octet) in packet.enumerated() { (copy + position).initialize(to: octet) }
        return body(try RequestAttributes(copy, count: packet.count, offsets: offsets, AttributePlaces()))
    }
}
