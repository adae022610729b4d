/// Why bytes from the network were not a packet that may be acted on.
///
/// Every case is a counter. A server drops such a packet in silence (RFC 2865 §3), except that a password's proof of an impossible length
/// ends in an Access-Reject. No case carries text: whoever logs, words it.
public enum DecodeError: UInt8, Error, CaseIterable, Sendable {
    /// Fewer than 20 octets arrived (RFC 2865 §3).
    case shorterThanHeader
    /// The Length field is below 20 or above the transport's limit (RFC 2865 §3).
    case lengthOutOfRange
    /// The Length field promises more octets than arrived (RFC 2865 §3).
    case lengthBeyondDatagram
    /// An attribute's Length is below 2 (RFC 2865 §5).
    case attributeTooShort
    /// An attribute runs over the end of the packet (RFC 2865 §5).
    case attributeOverrun
    /// More attributes than a packet of 4096 octets can need.
    case tooManyAttributes
    /// The Code is none that this port serves.
    case unsupportedCode
    /// Message-Authenticator is not 16 octets (RFC 2869 §5.14).
    case messageAuthenticatorLength
    /// More than one Message-Authenticator (RFC 2869 §5.14).
    case messageAuthenticatorRepeated
    /// Message-Authenticator does not verify: wrong secret or altered packet (RFC 3579 §3.2).
    case messageAuthenticatorInvalid
    /// Message-Authenticator is required here and absent (RFC 3579 §3.3, RFC 5997 §3, or the client's policy).
    case messageAuthenticatorMissing
    /// Proxy-State without Message-Authenticator from a client with `limit-proxy-state` (CVE-2024-3596).
    case proxyStateUnsigned
    /// The Request Authenticator of an Accounting, CoA or Disconnect request does not verify (RFC 2866 §3, RFC 5176 §2.3).
    case requestAuthenticatorInvalid
    /// The Response Authenticator does not verify (RFC 2865 §3).
    case responseAuthenticatorInvalid
    /// User-Password is not 16...128 octets in steps of 16 (RFC 2865 §5.2).
    case passwordLength
    /// CHAP-Password is not 17 octets, or a challenge is empty (RFC 2865 §5.3).
    case chapLength
    /// An MS-CHAP response or challenge has a length that RFC 2548 §2 does not allow.
    case msCHAPLength
    /// A salt-encrypted value is shorter than its salt, not in steps of 16, or its inner length lies (RFC 2868 §3.5).
    case saltedValueLength
    /// More than one authentication method stands in one Access-Request (RFC 2865 §4.1, RFC 3579 §2.2).
    case conflictingCredentials
    /// Acct-Status-Type or Acct-Session-Id is absent or malformed (RFC 2866 §4.1).
    case accountingIncomplete
    /// Over RADIUS/1.1: a Token that stands for another packet already (RFC 9765 §4.2.2).
    case tokenReused
    /// Over RADIUS/1.1: CHAP-Password without CHAP-Challenge, where no Request Authenticator stands for it (RFC 9765 §5.1.2).
    case chapChallengeMissing
    /// Over RADIUS/1.1: a value is longer than can be hidden, or the packet too long with what RADIUS/1.0 adds.
    case translatedTooLong
}
