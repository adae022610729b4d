/// The attributes of one packet, from RADIUS/1.0, which hides some values under the shared secret, to RADIUS/1.1, which leaves that to TLS,
/// or the other way (RFC 9765 §5).
///
/// What RADIUS/1.1 must neither send nor heed is left out both ways: Message-Authenticator (§5.2) and Original-Packet-Code (§5.5). All
/// others cross as they are, in their order. Between two neighbours with RADIUS/1.0 hidden values are hidden anew, one attribute at a time.
struct AttributeTranslation {
    enum Direction {
        /// From RADIUS/1.1 to 1.0.
        case hiding
        /// From RADIUS/1.0 to 1.1.
        case revealing
        /// From RADIUS/1.0 to 1.0 with another secret and authenticator; what stands in a Vendor-Specific attribute of the usual format is
        /// left, where somebody else sees to it.
        case rehiding(for: Hop, leavingUsual: Bool)
    }

    private let direction: Direction
    private let dictionary: RadiusDictionary
    private let secret: SharedSecret
    private let authenticator: Digest16
    private var run = AttributeRun()
    /// Counted on for each hidden value, so that none is there twice (RFC 2868 §3.5).
    private var salt: UInt16
    /// Names the value of which more comes in the next attribute: such a value is too long to be a hidden one.
    private var continued: UInt64?
    private(set) var hasEAP = false
    private(set) var hasCHAPPassword = false
    private(set) var hasCHAPChallenge = false

    /// Octets of an attribute's value at most.
    private static let valueLimit = 253
    /// Extended-Type of Original-Packet-Code in Extended-Attribute-1 (RFC 7930 §4).
    private static let originalPacketCode: UInt8 = 4
    /// RFC 2868 §3.3: what is greater is no tag but the value's first octet.
    private static let largestTag: UInt8 = 0x1f

    /// - Parameters:
    ///   - direction: which way.
    ///   - dictionary: knows which values are hidden.
    ///   - secret: of the side that hides.
    ///   - authenticator: hides too; as `PacketCode.saltAuthenticator` says.
    ///   - salt: counted on from here.
    init(
        _ direction: Direction, _ dictionary: RadiusDictionary, secret: SharedSecret, authenticator: Digest16,
        salt: UInt16 = .random(in: 0...UInt16.max)
    ) {
        self.direction = direction
        self.dictionary = dictionary
        self.secret = secret
        self.authenticator = authenticator
        self.salt = salt
    }

    /// The attributes that are translated, one behind the other.
    var octets: [UInt8] { run.octets }

    /// Appends an attribute that is the same in both.
    mutating func append(_ type: UInt8, _ value: [UInt8]) { run.append(type, value) }

    /// Translates the attributes of `packet`, which ends with them.
    ///
    /// - Throws: `attributeTooShort`, `attributeOverrun`; `translatedTooLong` for a value that RADIUS/1.0 cannot hide.
    mutating func translate(_ packet: Span<UInt8>) throws(DecodeError) {
        var offset = PacketHeader.count
        while offset < packet.count {
            guard packet.count - offset >= 2 else { throw .attributeOverrun }
            let length = Int(packet[offset + 1])
            guard length >= 2 else { throw .attributeTooShort }
            guard length <= packet.count - offset else { throw .attributeOverrun }
            try take(AttributeLocation(type: packet[offset], offset: offset + 2, count: length - 2), of: packet)
            offset += length
        }
    }

    /// One attribute of a packet whose others come here in their order, for `rehiding`: as the next hop is to have it, encoded. Hidden
    /// values that cannot be revealed cross as they are.
    mutating func crossing(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        let attribute = [type, UInt8(value.count + 2)] + value
        run = AttributeRun()
        do throws(DecodeError) {
            try take(AttributeLocation(type: type, offset: 2, count: value.count), of: attribute.span)
        } catch {
            // Hidden anew no value is longer than it was.
            return attribute
        }
        return run.octets
    }

    private mutating func take(_ attribute: AttributeLocation, of packet: Span<UInt8>) throws(DecodeError) {
        switch attribute.type {
        case AttributeNumber.messageAuthenticator: return
        case VendorAttribute.type: return try takeVendor(attribute, of: packet)
        case AttributeNumber.extendedAttribute1...AttributeNumber.extendedAttribute6: return try takeExtended(attribute, of: packet)
        case AttributeNumber.eapMessage: hasEAP = true
        case AttributeNumber.chapPassword: hasCHAPPassword = true
        case AttributeNumber.chapChallenge: hasCHAPChallenge = true
        default: break
        }
        let definition = dictionary.attribute(number: UInt32(attribute.type))
        let value = try translated(VendorPassage.copy(attribute.range, of: packet), definition)
        run.append(attribute.type, value)
    }

    /// What has grown too long for one attribute goes on in another of the same vendor.
    private mutating func takeVendor(_ attribute: AttributeLocation, of packet: Span<UInt8>) throws(DecodeError) {
        let whole = VendorPassage.copy(attribute.range, of: packet)
        guard let found = VendorAttribute(attribute, in: packet) else { return run.append(VendorAttribute.type, whole) }
        let format = dictionary.vendor(found.vendor)?.format ?? VendorFormat()
        var values = [Array(whole[..<4])]
        var cursor = found.members(format)
        while let member = cursor.next(in: packet) {
            var value = VendorPassage.copy(member.range, of: packet)
            let path = AttributePath(base: VendorAttribute.type, vendor: found.vendor, numbers: [member.type])
            if isWhole(UInt64(found.vendor) << 32 | UInt64(member.type), continues: member.continues), !leaves(path, format) {
                value = try translated(value, at: path)
            }
            guard value.count <= format.largestValue else { throw .translatedTooLong }
            let octets = format.header(number: member.type, valueOctets: value.count, continues: member.continues) + value
            if values[values.count - 1].count + octets.count > Self.valueLimit { values.append(Array(whole[..<4])) }
            values[values.count - 1] += octets
        }
        // What cannot be taken apart is opaque (RFC 2865 §5.26).
        if cursor.isMalformed { values = [whole] }
        for value in values { run.append(VendorAttribute.type, value) }
    }

    /// Whether somebody else has seen to a member of a vendor's attribute, who does not look into a TLV.
    private func leaves(_ path: AttributePath, _ format: VendorFormat) -> Bool {
        guard case .rehiding(_, leavingUsual: true) = direction, format == VendorFormat() else { return false }
        return dictionary.attribute(at: path)?.type != .tlv
    }

    private mutating func takeExtended(_ attribute: AttributeLocation, of packet: Span<UInt8>) throws(DecodeError) {
        let whole = VendorPassage.copy(attribute.range, of: packet)
        guard let shape = ExtendedAttribute.shape(of: attribute.type), let found = ExtendedAttribute(attribute, shape, in: packet) else {
            return run.append(attribute.type, whole)
        }
        if attribute.type == AttributeNumber.extendedAttribute1, found.number == Self.originalPacketCode, isOfNewVersion { return }
        let key: UInt64 = 1 << 63 | UInt64(attribute.type) << 8 | UInt64(found.number)
        guard isWhole(key, continues: found.continues) else { return run.append(attribute.type, whole) }
        var (count, path) = (shape.headerOctets, AttributePath(numbers: [UInt32(attribute.type), UInt32(found.number)]))
        if found.number == ExtendedAttribute.vendorSpecific {
            // Vendor, and its number of one octet (RFC 6929 §2.4).
            guard let vendor = VendorAttribute(found.range, in: packet), !vendor.range.isEmpty else {
                return run.append(attribute.type, whole)
            }
            path = AttributePath(base: attribute.type, vendor: vendor.vendor, numbers: [UInt32(packet[vendor.range.lowerBound])])
            count += 5
        }
        let value = Array(whole[..<count]) + (try translated(Array(whole[count...]), at: path))
        guard value.count <= Self.valueLimit else { throw .translatedTooLong }
        run.append(attribute.type, value)
    }

    /// Whether a value stands alone: it does not go on, and nothing of it came before.
    private mutating func isWhole(_ key: UInt64, continues: Bool) -> Bool {
        defer { continued = continues ? key : nil }
        return !continues && continued != key
    }

    /// A value, or the members of a TLV in it.
    private mutating func translated(_ value: [UInt8], at path: AttributePath) throws(DecodeError) -> [UInt8] {
        let definition = dictionary.attribute(at: path)
        guard definition?.type == .tlv else { return try translated(value, definition) }
        var result: [UInt8] = []
        var cursor = AttributeCursor(0..<value.count)
        while let member = cursor.next(in: value.span) {
            var inner = path
            inner.numbers.append(member.type)
            let octets = try translated(Array(value[member.range]), at: inner)
            guard octets.count <= Self.valueLimit else { throw .translatedTooLong }
            result += [UInt8(truncatingIfNeeded: member.type), UInt8(octets.count + 2)] + octets
        }
        return cursor.isMalformed ? value : result
    }

    private mutating func translated(_ value: [UInt8], _ definition: AttributeDefinition?) throws(DecodeError) -> [UInt8] {
        guard let definition, definition.encryption != .none else { return value }
        switch direction {
        case .hiding: return try hidden(value, definition)
        case .revealing: return revealed(value, definition)
        case .rehiding(let next, _): return rehidden(value, definition, for: next)
        }
    }

    /// Whether one of both sides has RADIUS/1.1.
    private var isOfNewVersion: Bool { if case .rehiding = direction { false } else { true } }

    private mutating func hidden(_ value: [UInt8], _ definition: AttributeDefinition) throws(DecodeError) -> [UInt8] {
        // An impossible password stays one: its log-in is refused (RFC 9765 §5.1.1).
        if definition.encryption == .userPassword, !(1...UserPassword.maximumCount).contains(value.count) { return [] }
        let hasTag = definition.isTagged && value.first.map { $0 <= Self.largestTag } == true
        let tag: [UInt8] = hasTag ? [value[0]] : definition.isTagged ? [0] : []
        let clear = hasTag ? Array(value.dropFirst()) : value
        salt &+= 1
        let unique = salt
        let keys = HideKeys(secret: secret, authenticator: authenticator) { unique }
        do throws(AttributeTextError.Reason) {
            return tag + (try HiddenValue.hide(clear, definition.encryption, keys))
        } catch {
            throw .translatedTooLong
        }
    }

    private mutating func rehidden(_ value: [UInt8], _ definition: AttributeDefinition, for next: Hop) -> [UInt8] {
        let from = Hop(secret, authenticator)
        let tag = Array(value.prefix(definition.isTagged ? 1 : 0))
        let hidden = Array(value.dropFirst(tag.count))
        do throws(ProxyFault) {
            switch definition.encryption {
            case .none: return value
            case .userPassword: return tag + (try from.rehide(password: hidden.span, for: next))
            case .ascendSecret: return tag + (try from.rehide(ascend: hidden.span, for: next))
            case .tunnelPassword:
                salt &+= 1
                return tag + (try from.rehide(salted: hidden.span, for: next, salt: salt))
            }
        } catch {
            return value
        }
    }

    /// What cannot be revealed crosses as it is: it said nothing before either.
    private func revealed(_ value: [UInt8], _ definition: AttributeDefinition) -> [UInt8] {
        let keys = RevealKeys(secret: secret, authenticator: authenticator)
        guard definition.isTagged else {
            guard let clear = HiddenValue.reveal(value, as: definition, keys) else { return value }
            // At least one octet (RFC 9765 §5.1.1); who takes it as RADIUS/1.0 does not count zeros at the end.
            return clear.isEmpty && definition.encryption == .userPassword ? [0] : clear
        }
        guard let tag = value.first, let clear = HiddenValue.reveal(Array(value.dropFirst()), as: definition, keys) else { return value }
        return [tag <= Self.largestTag ? tag : 0] + clear
    }
}
