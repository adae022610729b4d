/// Attributes that an operator must not put into replies: the server writes them itself, or they belong to requests.
///
/// A reply with a second Message-Authenticator or a foreign Proxy-State is thrown away by the NAS (RFC 2869 §5.14, RFC 2865 §5.33).
enum ReservedAttribute {
    /// Why attributes may not stand in a reply.
    struct Refusal {
        let reason: String
        /// Former versions sent it, so what is stored may have it.
        var wasTaken = false
    }

    private static let standard: Set<UInt8> = [
        AttributeNumber.userPassword, AttributeNumber.chapPassword, AttributeNumber.state, AttributeNumber.proxyState,
        AttributeNumber.chapChallenge, AttributeNumber.eapMessage, AttributeNumber.messageAuthenticator,
    ]
    /// What no Access-Accept has by the tables of attributes: RFC 2865 §5.44, RFC 2866 §5.13, RFC 2867, RFC 2869 §5.19, RFC 3162 §3,
    /// RFC 5176 §3.6. Password-Retry and Prompt have their places in a refusal and in a challenge.
    private static let ofOtherPackets: Set<UInt8> = Set(AttributeNumber.acctStatusType...AttributeNumber.acctOutputGigawords).union([
        AttributeNumber.nasIPAddress, AttributeNumber.nasPort, AttributeNumber.calledStationID, AttributeNumber.callingStationID,
        AttributeNumber.nasIdentifier, AttributeNumber.eventTimestamp, AttributeNumber.nasPortType, AttributeNumber.acctTunnelConnection,
        AttributeNumber.arapPassword, AttributeNumber.arapSecurity, AttributeNumber.arapSecurityData, AttributeNumber.passwordRetry,
        AttributeNumber.prompt, AttributeNumber.connectInfo, AttributeNumber.acctTunnelPacketsLost, AttributeNumber.nasPortID,
        AttributeNumber.nasIPv6Address, AttributeNumber.errorCause,
    ])
    /// MS-CHAP-Response, MS-CHAP-Error, MS-CHAP-Challenge, MPPE keys, MS-CHAP2-Response, MS-CHAP2-Success (RFC 2548).
    private static let microsoft: Set<UInt8> = [1, 2, 11, 12, 16, 17, 25, 26]

    /// Why attributes in wire form may not stand in a reply; nil when they may.
    static func refusal(of attributes: [UInt8]) -> Refusal? {
        var offset = 0
        while offset + 1 < attributes.count {
            let (type, count) = (attributes[offset], Int(attributes[offset + 1]))
            guard count >= 2, offset + count <= attributes.count else { return Refusal(reason: "it is not a whole attribute") }
            if standard.contains(type) {
                return Refusal(reason: "the server writes this attribute itself, or it belongs to requests; leave it out")
            }
            if ofOtherPackets.contains(type) {
                return Refusal(
                    reason: "it belongs to requests or refusals, and a reply has none (RFC 2865 §5.44); leave it out", wasTaken: true)
            }
            if type == AttributeNumber.vendorSpecific {
                if let reason = vendorRefusal(Array(attributes[offset..<offset + count])) { return Refusal(reason: reason) }
            }
            offset += count
        }
        return nil
    }

    private static func vendorRefusal(_ attribute: [UInt8]) -> String? {
        guard attribute.count >= 8 else { return "a vendor's attribute has its vendor's four octets and a value (RFC 2865 §5.26)" }
        let vendor = attribute[2..<6].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard vendor == AccessCredentials.microsoft, microsoft.contains(attribute[6]) else { return nil }
        return "the server writes this attribute itself, from the log-in; leave it out"
    }
}
