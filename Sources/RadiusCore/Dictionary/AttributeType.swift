/// The data types of RFC 8044, and those of older dictionaries that have no number there.
public enum AttributeType: UInt8, Hashable, Sendable, CaseIterable {
    /// RFC 8044 §3.4; UTF-8.
    case string
    /// RFC 8044 §3.5.
    case octets
    /// `ipv4addr`, RFC 8044 §3.8; four octets.
    case ipv4Address
    /// RFC 8044 §3.9; 16 octets.
    case ipv6Address
    /// RFC 8044 §3.11; six octets: reserved, prefix length, four of address.
    case ipv4Prefix
    /// RFC 8044 §3.10; 2...18 octets: reserved, prefix length, address without trailing zeros.
    case ipv6Prefix
    /// IPv4 or IPv6 address, told apart by its length.
    case comboIP
    /// RFC 8044 §3.1, four octets.
    case integer
    case byte
    case short
    /// RFC 8044 §3.13.
    case integer64
    /// 32 bits, two's complement.
    case signed
    /// One octet, 0 or 1.
    case bool
    /// `time`, RFC 8044 §3.3; seconds since 1970, 32 bits unsigned.
    case date
    /// RFC 8044 §3.7; eight octets.
    case interfaceID
    /// Six octets, a MAC address.
    case ethernet
    /// Ascend's binary filter (kept as octets).
    case ascendBinary
    /// RFC 8044 §3.13: nested attributes of (type, length, value).
    case tlv
    /// RFC 8044 §3.14.
    case vsa
    /// RFC 8044 §3.15; attribute 241...244.
    case extended
    /// RFC 8044 §3.16; attribute 245, 246.
    case longExtended
    /// RFC 8044 §3.17; vendor space inside an extended attribute.
    case evs
}
