extension MSCHAP {
    /// Why a peer is turned away, in the numbers that Windows knows (RFC 2433 §8, RFC 2759 §6).
    public enum FailureReason: UInt16, Sendable {
        case restrictedLogonHours = 646
        case accountDisabled = 647
        case passwordExpired = 648
        case noDialInPermission = 649
        case authenticationFailure = 691
        case changingPassword = 709
    }

    /// Writes the value of MS-CHAP2-Success (RFC 2548 §2.3.3): the response's identifier and `S=...`.
    ///
    /// - Returns: octets written into `value`, 43.
    public static func writeSuccess(
        identifier: UInt8, authenticatorResponse: InlineArray<42, UInt8>, into value: inout MutableSpan<UInt8>
    ) -> Int {
        var text = MSCHAPText(identifier, into: &value)
        text.append(authenticatorResponse.span, to: &value)
        return text.count
    }

    /// Writes the value of MS-CHAP-Error (RFC 2548 §2.1.5): the response's identifier and `E=... R=... C=... V=...`, for
    /// version 2 also `M=...`.
    ///
    /// - Parameters:
    ///   - identifier: first octet of the peer's response.
    ///   - reason: why.
    ///   - retry: whether the peer may try again within this conversation.
    ///   - challenge: what a retry answers; 8 octets make a version 1 text (V=2), 16 a version 2 text (V=3).
    ///   - message: text for the human at the peer, version 2 only; cut to what `value` holds.
    ///   - value: at least 66 octets; an attribute holds 247.
    /// - Returns: octets written into `value`.
    public static func writeFailure(
        identifier: UInt8, reason: FailureReason, retry: Bool, challenge: Span<UInt8>, message: Span<UInt8>,
        into value: inout MutableSpan<UInt8>
    ) -> Int {
        var text = MSCHAPText(identifier, into: &value)
        text.append("E=", to: &value)
        text.appendDecimal(reason.rawValue, to: &value)
        text.append(retry ? " R=1 C=" : " R=0 C=", to: &value)
        for i in challenge.indices {
            text.append(MSCHAPText.digit(challenge[i], high: true), to: &value)
            text.append(MSCHAPText.digit(challenge[i], high: false), to: &value)
        }
        guard challenge.count == 16 else {
            text.append(" V=2", to: &value)
            return text.count
        }
        text.append(" V=3 M=", to: &value)
        text.append(message.extracting(0..<min(message.count, value.count &- text.count)), to: &value)
        return text.count
    }
}

/// How far a text attribute of MS-CHAP has been written.
struct MSCHAPText {
    private(set) var count = 0

    init(_ identifier: UInt8, into value: inout MutableSpan<UInt8>) {
        append(identifier, to: &value)
    }

    mutating func append(_ octet: UInt8, to value: inout MutableSpan<UInt8>) {
        value[count] = octet
        count &+= 1
    }

    mutating func append(_ octets: Span<UInt8>, to value: inout MutableSpan<UInt8>) {
        for i in octets.indices { append(octets[i], to: &value) }
    }

    mutating func append(_ literal: StaticString, to value: inout MutableSpan<UInt8>) {
        for i in 0..<literal.utf8CodeUnitCount { append(literal.utf8Start[i], to: &value) }
    }

    /// Appends a number of three digits, which every reason is.
    mutating func appendDecimal(_ number: UInt16, to value: inout MutableSpan<UInt8>) {
        append(0x30 &+ UInt8(truncatingIfNeeded: number / 100 % 10), to: &value)
        append(0x30 &+ UInt8(truncatingIfNeeded: number / 10 % 10), to: &value)
        append(0x30 &+ UInt8(truncatingIfNeeded: number % 10), to: &value)
    }

    /// One of the two hexadecimal digits of an octet, in capitals.
    static func digit(_ octet: UInt8, high: Bool) -> UInt8 {
        let nibble = high ? octet &>> 4 : octet & 15
        return nibble < 10 ? 0x30 &+ nibble : 0x37 &+ nibble
    }
}
