/// Numbers of standard attributes that the server itself reads or writes (IANA registry "RADIUS Types").
///
/// The names are the RFCs' in lower camel case; `Class` is `classAttribute`. The dictionaries hold all others.
public enum AttributeNumber {
    // RFC 2865 §5.
    public static let userName: UInt8 = 1
    public static let userPassword: UInt8 = 2
    public static let chapPassword: UInt8 = 3
    public static let nasIPAddress: UInt8 = 4
    public static let nasPort: UInt8 = 5
    public static let serviceType: UInt8 = 6
    public static let framedProtocol: UInt8 = 7
    public static let framedIPAddress: UInt8 = 8
    public static let framedIPNetmask: UInt8 = 9
    public static let framedRouting: UInt8 = 10
    public static let filterID: UInt8 = 11
    public static let framedMTU: UInt8 = 12
    public static let framedCompression: UInt8 = 13
    public static let loginIPHost: UInt8 = 14
    public static let loginService: UInt8 = 15
    public static let loginTCPPort: UInt8 = 16
    public static let replyMessage: UInt8 = 18
    public static let callbackNumber: UInt8 = 19
    public static let callbackID: UInt8 = 20
    public static let framedRoute: UInt8 = 22
    public static let framedIPXNetwork: UInt8 = 23
    public static let state: UInt8 = 24
    public static let classAttribute: UInt8 = 25
    public static let vendorSpecific: UInt8 = 26
    public static let sessionTimeout: UInt8 = 27
    public static let idleTimeout: UInt8 = 28
    public static let terminationAction: UInt8 = 29
    public static let calledStationID: UInt8 = 30
    public static let callingStationID: UInt8 = 31
    public static let nasIdentifier: UInt8 = 32
    public static let proxyState: UInt8 = 33
    public static let loginLATService: UInt8 = 34
    public static let loginLATNode: UInt8 = 35
    public static let loginLATGroup: UInt8 = 36

    // RFC 2866 §5.
    public static let acctStatusType: UInt8 = 40
    public static let acctDelayTime: UInt8 = 41
    public static let acctInputOctets: UInt8 = 42
    public static let acctOutputOctets: UInt8 = 43
    public static let acctSessionID: UInt8 = 44
    public static let acctAuthentic: UInt8 = 45
    public static let acctSessionTime: UInt8 = 46
    public static let acctInputPackets: UInt8 = 47
    public static let acctOutputPackets: UInt8 = 48
    public static let acctTerminateCause: UInt8 = 49
    public static let acctMultiSessionID: UInt8 = 50
    public static let acctLinkCount: UInt8 = 51

    // RFC 2869 §5.
    public static let acctInputGigawords: UInt8 = 52
    public static let acctOutputGigawords: UInt8 = 53
    public static let eventTimestamp: UInt8 = 55

    // RFC 4675 §2.
    public static let egressVLANID: UInt8 = 56
    public static let ingressFilters: UInt8 = 57
    public static let egressVLANName: UInt8 = 58
    public static let userPriorityTable: UInt8 = 59

    // RFC 2865 §5.
    public static let chapChallenge: UInt8 = 60
    public static let nasPortType: UInt8 = 61
    public static let portLimit: UInt8 = 62
    public static let loginLATPort: UInt8 = 63

    // RFC 2868 §3; 68 is RFC 2867 §4.1.
    public static let tunnelType: UInt8 = 64
    public static let tunnelMediumType: UInt8 = 65
    public static let tunnelClientEndpoint: UInt8 = 66
    public static let tunnelServerEndpoint: UInt8 = 67
    public static let acctTunnelConnection: UInt8 = 68
    public static let tunnelPassword: UInt8 = 69

    // RFC 2869 §5.
    public static let arapPassword: UInt8 = 70
    public static let arapFeatures: UInt8 = 71
    public static let arapZoneAccess: UInt8 = 72
    public static let arapSecurity: UInt8 = 73
    public static let arapSecurityData: UInt8 = 74
    public static let passwordRetry: UInt8 = 75
    public static let prompt: UInt8 = 76
    public static let connectInfo: UInt8 = 77
    public static let configurationToken: UInt8 = 78
    public static let eapMessage: UInt8 = 79
    public static let messageAuthenticator: UInt8 = 80

    // RFC 2868 §3.
    public static let tunnelPrivateGroupID: UInt8 = 81
    public static let tunnelAssignmentID: UInt8 = 82
    public static let tunnelPreference: UInt8 = 83

    // RFC 2869 §5; 86 is RFC 2867 §4.2, 89 is RFC 4372 §2.2, 90 and 91 are RFC 2868 §3.
    public static let arapChallengeResponse: UInt8 = 84
    public static let acctInterimInterval: UInt8 = 85
    public static let acctTunnelPacketsLost: UInt8 = 86
    public static let nasPortID: UInt8 = 87
    public static let framedPool: UInt8 = 88
    public static let chargeableUserIdentity: UInt8 = 89
    public static let tunnelClientAuthID: UInt8 = 90
    public static let tunnelServerAuthID: UInt8 = 91

    // RFC 4849 §2 (92), RFC 7155 §4.2.7 (94).
    public static let nasFilterRule: UInt8 = 92
    public static let originatingLineInfo: UInt8 = 94

    // RFC 3162 §2.
    public static let nasIPv6Address: UInt8 = 95
    public static let framedInterfaceID: UInt8 = 96
    public static let framedIPv6Prefix: UInt8 = 97
    public static let loginIPv6Host: UInt8 = 98
    public static let framedIPv6Route: UInt8 = 99
    public static let framedIPv6Pool: UInt8 = 100

    // RFC 5176 §3.5.
    public static let errorCause: UInt8 = 101

    // RFC 4072 §4.1.4 (102), RFC 4818 §3 (123), RFC 5580 §4 (126-132).
    public static let eapKeyName: UInt8 = 102
    public static let delegatedIPv6Prefix: UInt8 = 123
    public static let operatorName: UInt8 = 126
    public static let locationInformation: UInt8 = 127
    public static let locationData: UInt8 = 128
    public static let basicLocationPolicyRules: UInt8 = 129
    public static let extendedLocationPolicyRules: UInt8 = 130
    public static let locationCapable: UInt8 = 131
    public static let requestedLocationInfo: UInt8 = 132

    // RFC 6519 §4.
    public static let dsLiteTunnelName: UInt8 = 144

    // RFC 6911 §3.
    public static let framedIPv6Address: UInt8 = 168
    public static let dnsServerIPv6Address: UInt8 = 169
    public static let routeIPv6Information: UInt8 = 170
    public static let delegatedIPv6PrefixPool: UInt8 = 171
    public static let statefulIPv6AddressPool: UInt8 = 172

    // RFC 6930 §4.1.
    public static let ipv6RDConfiguration: UInt8 = 173

    // RFC 6929 §2.
    public static let extendedAttribute1: UInt8 = 241
    public static let extendedAttribute2: UInt8 = 242
    public static let extendedAttribute3: UInt8 = 243
    public static let extendedAttribute4: UInt8 = 244
    public static let extendedAttribute5: UInt8 = 245
    public static let extendedAttribute6: UInt8 = 246
}
