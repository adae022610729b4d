/// The attributes that answering a request looks at.
///
/// Others are walked over, with the same length checks, and forgotten: a batch of packets is indexed in a few cache lines.
enum RequestAttribute: Int, CaseIterable {
    /// Place 0 takes what nobody asks for.
    case userName = 1
    case userPassword, chapPassword, chapChallenge, eapMessage, vendorSpecific, messageAuthenticator, proxyState
    case callingStationID, nasPortID, acctStatusType, acctSessionID, state

    /// The attribute's number (RFC 2865 §5).
    var number: UInt8 {
        switch self {
        case .userName: AttributeNumber.userName
        case .userPassword: AttributeNumber.userPassword
        case .chapPassword: AttributeNumber.chapPassword
        case .chapChallenge: AttributeNumber.chapChallenge
        case .eapMessage: AttributeNumber.eapMessage
        case .vendorSpecific: AttributeNumber.vendorSpecific
        case .messageAuthenticator: AttributeNumber.messageAuthenticator
        case .proxyState: AttributeNumber.proxyState
        case .callingStationID: AttributeNumber.callingStationID
        case .nasPortID: AttributeNumber.nasPortID
        case .acctStatusType: AttributeNumber.acctStatusType
        case .acctSessionID: AttributeNumber.acctSessionID
        case .state: AttributeNumber.state
        }
    }
}

/// For each attribute number its place in `RequestAttributes`; made once for a worker.
struct AttributePlaces: ~Copyable {
    fileprivate let places: UnsafeMutablePointer<UInt8>

    init() {
        places = .allocate(capacity: 256)
        places.initialize(repeating: 0, count: 256)
        for attribute in RequestAttribute.allCases { places[Int(attribute.number)] = UInt8(attribute.rawValue) }
    }

    deinit { places.deallocate() }
}

/// Where the first attribute of each kind lies in one request. The memory is the batch's; valid as long as the packet.
struct RequestAttributes: BitwiseCopyable {
    /// Places for one packet.
    static let capacity = 16
    private static let repeatedPlace = 15

    let packet: UnsafePointer<UInt8>
    let count: Int
    /// Offset of the value, or 0. The last place tells whether Message-Authenticator stands more than once.
    private let offsets: UnsafeMutablePointer<UInt16>

    /// Walks the packet, whose length `PacketHeader.length` has checked (RFC 2865 §5).
    ///
    /// - Parameters:
    ///   - packet: `count` octets.
    ///   - count: 20...4096.
    ///   - offsets: `capacity` places, for as long as this value is used.
    ///   - places: the worker's.
    /// - Throws: `attributeOverrun`, `attributeTooShort`.
    init(
        _ packet: UnsafePointer<UInt8>, count: Int, offsets: UnsafeMutablePointer<UInt16>, _ places: borrowing AttributePlaces
    ) throws(DecodeError) {
        self.packet = packet
        self.count = count
        self.offsets = offsets
        offsets.update(repeating: 0, count: Self.capacity)
        var offset = PacketHeader.count
        while offset < count {
            guard count &- offset >= 2 else { throw .attributeOverrun }
            let place = Int(places.places[Int(packet[offset])])
            let length = Int(packet[offset &+ 1])
            guard length >= 2 else { throw .attributeTooShort }
            guard length <= count &- offset else { throw .attributeOverrun }
            if offsets[place] == 0 {
                offsets[place] = UInt16(truncatingIfNeeded: offset &+ 2)
            } else if place == RequestAttribute.messageAuthenticator.rawValue {
                offsets[Self.repeatedPlace] = 1
            }
            offset &+= length
        }
    }

    var repeatsMessageAuthenticator: Bool { offsets[Self.repeatedPlace] != 0 }

    func contains(_ attribute: RequestAttribute) -> Bool { offsets[attribute.rawValue] != 0 }

    /// Where the first one's value lies.
    func first(_ attribute: RequestAttribute) -> Range<Int>? {
        let offset = Int(offsets[attribute.rawValue])
        return offset == 0 ? nil : range(at: offset)
    }

    /// Where the next one's value lies, behind `previous`, which is that of one before.
    func next(_ attribute: RequestAttribute, after previous: Range<Int>) -> Range<Int>? {
        var offset = previous.upperBound
        while offset < count {
            if packet[offset] == attribute.number { return range(at: offset &+ 2) }
            offset &+= Int(packet[offset &+ 1])
        }
        return nil
    }

    /// The octets of a range that this gave.
    @_lifetime(immortal)
    func octets(_ range: Range<Int>) -> Span<UInt8> {
        // The packet outlives its answer.
        let span = Span<UInt8>(_unsafeStart: packet + range.lowerBound, count: range.count)
        return _overrideLifetime(span, copying: ())
    }

    /// The first one's octets; none where it is absent.
    @_lifetime(immortal)
    func value(_ attribute: RequestAttribute) -> Span<UInt8> {
        octets(first(attribute) ?? 0..<0)
    }

    private func range(at offset: Int) -> Range<Int> {
        // The walk has checked the length octet, and that the value lies in the packet.
        Range(uncheckedBounds: (offset, offset &+ Int(packet[offset &- 1]) &- 2))
    }
}
