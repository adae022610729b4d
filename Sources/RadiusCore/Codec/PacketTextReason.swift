extension DecodeError {
    /// The error in words, for tools; the packet path counts and says nothing.
    public var explanation: String {
        switch self {
        case .shorterThanHeader: "fewer than 20 octets (RFC 2865 §3)"
        case .lengthOutOfRange: "the Length field is below 20 or above the largest packet (RFC 2865 §3)"
        case .lengthBeyondDatagram: "the Length field promises more octets than there are (RFC 2865 §3)"
        case .attributeTooShort: "an attribute's Length is below 2 (RFC 2865 §5)"
        case .attributeOverrun: "an attribute runs over the end of the packet (RFC 2865 §5)"
        case .tooManyAttributes: "more attributes than a packet of 4096 octets can need"
        case .unsupportedCode: "the Code is none that this port serves"
        case .messageAuthenticatorLength: "Message-Authenticator is not 16 octets (RFC 2869 §5.14)"
        case .messageAuthenticatorRepeated: "more than one Message-Authenticator (RFC 2869 §5.14)"
        case .messageAuthenticatorInvalid: "Message-Authenticator does not verify: wrong secret or altered packet (RFC 3579 §3.2)"
        case .messageAuthenticatorMissing: "Message-Authenticator is required and absent (RFC 3579 §3.3)"
        case .proxyStateUnsigned: "Proxy-State without Message-Authenticator (CVE-2024-3596)"
        case .requestAuthenticatorInvalid: "the Request Authenticator does not verify: wrong secret or altered packet (RFC 2866 §3)"
        case .responseAuthenticatorInvalid: "the Response Authenticator does not verify: wrong secret or altered packet (RFC 2865 §3)"
        case .passwordLength: "User-Password is not 16 to 128 octets in steps of 16 (RFC 2865 §5.2)"
        case .chapLength: "CHAP-Password is not 17 octets, or its challenge is empty (RFC 2865 §5.3)"
        case .msCHAPLength: "an MS-CHAP response or challenge has a wrong length (RFC 2548 §2)"
        case .saltedValueLength: "a salted value has a wrong length (RFC 2868 §3.5)"
        case .conflictingCredentials: "more than one authentication method in one request (RFC 3579 §2.2)"
        case .accountingIncomplete: "Acct-Status-Type or Acct-Session-Id is absent or malformed (RFC 2866 §4.1)"
        case .tokenReused: "a Token of RADIUS/1.1 that stands for another packet already (RFC 9765 §4.2.2)"
        case .chapChallengeMissing: "CHAP-Password without CHAP-Challenge over RADIUS/1.1 (RFC 9765 §5.1.2)"
        case .translatedTooLong: "over RADIUS/1.1, a value or packet that is too long with what RADIUS/1.0 adds"
        }
    }
}
