/// Crypto-binding of TEAP (RFC 9930 §4.2.13): codes by keys that only those have who are at both ends, of the tunnel and of the methods
/// inside. They are also over the version and over what both sides said outside the tunnel.
struct EAPTEAPBinding: Sendable, Equatable {
    enum Verdict: Equatable {
        case bound(usesEMSK: Bool)
        case wrong(EAPTEAPError)
    }

    private enum Flag {
        static let extended: UInt8 = 1
        static let session: UInt8 = 2
    }

    private enum Kind {
        static let request: UInt8 = 0
        static let response: UInt8 = 1
    }

    /// Reserved, version, received version, flags with kind, nonce, two codes.
    static let valueCount = 76
    private static let macCount = 20
    private static let nonceOffset = 8
    private static let extendedOffset = 40
    private static let sessionOffset = 60
    private static let count = 80

    private let keys: EAPTEAPKeys
    private let nonce: [UInt8]
    private let outer: [UInt8]

    /// - Parameters:
    ///   - keys: after the latest method.
    ///   - nonce: 32 octets.
    ///   - outer: TLVs outside the tunnel, the server's first.
    init(keys: EAPTEAPKeys, nonce: [UInt8], outer: [UInt8]) {
        precondition(nonce.count == 32)
        (self.keys, self.outer) = (keys, outer)
        self.nonce = Array(nonce.dropLast()) + [nonce[31] & 0xfe]
    }

    /// The TLV that asks the peer to bind itself.
    var request: [UInt8] {
        let (version, none) = (EAPTEAPOuter.version, [UInt8](repeating: 0, count: Self.macCount))
        let flags = Flag.session | (keys.bindsEMSK ? Flag.extended : 0)
        let head = EAPTEAPMessage.tlv(
            EAPTEAPMessage.Number.binding, [0, version, version, flags << 4 | Kind.request] + nonce + none + none)
        let macs = macs(of: head)
        return Array(head[..<Self.extendedOffset]) + (macs.ofEMSK ?? none) + macs.ofMSK
    }

    /// Whether a peer's TLV, its header included, is bound to this conversation.
    func judge(_ tlv: [UInt8]) -> Verdict {
        let answer = nonce.dropLast() + [nonce[31] | 1]
        guard tlv.count == Self.count, tlv[5] == EAPTEAPOuter.version, tlv[6] == EAPTEAPOuter.version, tlv[7] & 0x0f == Kind.response,
            (1...3).contains(tlv[7] >> 4), tlv[Self.nonceOffset..<Self.extendedOffset].elementsEqual(answer)
        else { return .wrong(.bindingInvalid) }
        let flags = tlv[7] >> 4
        let macs = macs(of: tlv)
        if flags & Flag.session != 0, !Self.isEqual(tlv, Self.sessionOffset, macs.ofMSK) { return .wrong(.bindingOfMSKWrong) }
        guard flags & Flag.extended != 0, let extended = macs.ofEMSK else {
            return flags & Flag.session == 0 ? .wrong(.bindingWithoutMSK) : .bound(usesEMSK: false)
        }
        return Self.isEqual(tlv, Self.extendedOffset, extended) ? .bound(usesEMSK: true) : .wrong(.bindingOfEMSKWrong)
    }

    /// Over the TLV with zeros for both codes, TEAP's number, and what was said outside.
    private func macs(of tlv: [UInt8]) -> (ofMSK: [UInt8], ofEMSK: [UInt8]?) {
        let none = [UInt8](repeating: 0, count: 2 * Self.macCount)
        return keys.macs(over: Array(tlv[..<Self.extendedOffset]) + none + [UInt8(EAPType.teap.number)] + outer)
    }

    private static func isEqual(_ tlv: [UInt8], _ offset: Int, _ mac: [UInt8]) -> Bool {
        ConstantTime.equal(tlv.span.extracting(offset..<offset + macCount), mac.span)
    }
}
