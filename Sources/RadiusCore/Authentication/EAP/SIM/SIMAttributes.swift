/// The attributes behind the subtype of EAP-SIM, EAP-AKA and EAP-AKA' (RFC 4186 §8.1, RFC 4187 §8.1): type, length in words of four octets,
/// value.
struct SIMAttributes: Equatable, Sendable {
    enum Kind: UInt8, CaseIterable {
        case random = 1
        case networkToken = 2
        case response = 3
        case resynchronizationToken = 4
        case padding = 6
        case nonce = 7
        case permanentIdentityRequest = 10
        case code = 11
        case notification = 12
        case anyIdentityRequest = 13
        case identity = 14
        case versionList = 15
        case selectedVersion = 16
        case fullIdentityRequest = 17
        case counter = 19
        case counterTooSmall = 20
        case serverNonce = 21
        case clientErrorCode = 22
        case derivationInput = 23
        case derivation = 24
        case initialVector = 129
        case encrypted = 130
        case nextPseudonym = 132
        case nextFastIdentity = 133
        case checkcode = 134
        case resultIndication = 135
        case bidding = 136
    }

    /// Why octets are none.
    enum Fault: Error, Equatable {
        /// An attribute without an end, or of no length.
        case length
        /// One that must be understood, and is not; those from 128 on are passed over.
        case unknown
        case twice
    }

    /// Subtype and two octets that are reserved.
    static let headerCount = 3
    /// Octets that stand in front of an attribute's value and are no part of it.
    private static let skippableFrom: UInt8 = 128

    let subtype: UInt8
    /// What follows type and length, padding included.
    private var values: [Kind: [UInt8]] = [:]
    /// Where the 16 octets of AT_MAC begin, behind the type of the packet.
    private(set) var codeOffset: Int?

    /// Reads what stands behind the type of a packet, of any length and content.
    init(_ data: [UInt8]) throws(Fault) {
        guard data.count >= Self.headerCount else { throw .length }
        subtype = data[0]
        var offset = Self.headerCount
        while offset < data.count {
            guard offset + 2 <= data.count else { throw .length }
            let count = Int(data[offset + 1]) * 4
            guard count > 0, offset + count <= data.count else { throw .length }
            try take(data[offset], data[(offset + 2)..<(offset + count)])
            offset += count
        }
    }

    private mutating func take(_ type: UInt8, _ value: ArraySlice<UInt8>) throws(Fault) {
        guard let kind = Kind(rawValue: type) else {
            guard type >= Self.skippableFrom else { throw .unknown }
            return
        }
        // RFC 9048 §3.2: a peer's AT_KDF comes once; only a server's may come more often.
        guard values[kind] == nil else { throw .twice }
        if kind == .code, value.count == 18 { codeOffset = value.startIndex + 2 }
        values[kind] = Array(value)
    }

    func has(_ kind: Kind) -> Bool { values[kind] != nil }

    /// What follows two reserved octets, `count` of them; nil when it is missing or of another length.
    func fixed(_ kind: Kind, count: Int) -> [UInt8]? {
        guard let value = values[kind], value.count == count + 2 else { return nil }
        return Array(value.dropFirst(2))
    }

    /// The number in the first two octets; nil when it is missing.
    func number(_ kind: Kind) -> UInt16? {
        guard let value = values[kind], value.count >= 2 else { return nil }
        return UInt16(value[0]) << 8 | UInt16(value[1])
    }

    /// What follows a length in octets, as it says; nil when that is missing, or longer than the attribute.
    func counted(_ kind: Kind) -> [UInt8]? {
        guard let value = values[kind], let count = number(kind), Int(count) <= value.count - 2 else { return nil }
        return Array(value.dropFirst(2).prefix(Int(count)))
    }

    /// AT_RES: what follows a length in bits (RFC 4187 §10.8).
    var response: [UInt8]? {
        guard let value = values[.response], let bits = number(.response), bits % 8 == 0, Int(bits) / 8 <= value.count - 2 else {
            return nil
        }
        return Array(value.dropFirst(2).prefix(Int(bits) / 8))
    }

    /// AT_AUTS, which has no reserved octets (RFC 4187 §10.9).
    var resynchronizationToken: [UInt8]? {
        guard let value = values[.resynchronizationToken], value.count == 14 else { return nil }
        return value
    }

    /// AT_CHECKCODE: nothing, or a digest.
    var checkcode: [UInt8]? { values[.checkcode].map { Array($0.dropFirst(2)) } }
}

extension SIMAttributes {
    /// Octets of a packet behind its type, attribute by attribute.
    struct Writer {
        private(set) var data: [UInt8]
        private var codeOffset: Int?

        init(subtype: UInt8) { data = [subtype, 0, 0] }

        /// Two octets and what follows, padded to a whole number of words.
        mutating func append(_ kind: Kind, number: Int = 0, _ value: [UInt8] = []) {
            let count = (4 + value.count + 3) / 4
            precondition(count <= 255 && number <= 0xffff)
            data += [kind.rawValue, UInt8(count), UInt8(number >> 8), UInt8(number & 0xff)] + value
            data += [UInt8](repeating: 0, count: count * 4 - 4 - value.count)
        }

        /// AT_MAC, whose octets are zero until the packet is whole.
        mutating func reserveCode() {
            codeOffset = data.count + 4
            append(.code, [UInt8](repeating: 0, count: SIMKeys.codeCount))
        }

        /// The packet's octets behind its type, with the code over all of it and what stands behind it in `more`.
        func coded(_ keys: SIMKeys, _ type: EAPType, identifier: UInt8, more: [UInt8] = []) -> [UInt8] {
            guard let codeOffset else { return data }
            var coded = data
            let packet = EAPPacket.octets(.request, identifier, type, data)
            coded.replaceSubrange(codeOffset..<codeOffset + SIMKeys.codeCount, with: keys.code(packet + more))
            return coded
        }
    }
}
