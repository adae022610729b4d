import Testing

@testable import RadiusCore

/// The names are spelt out here, so that a constant with a wrong number and a dictionary with a wrong number both show.
@Suite struct AttributeNumberTests {
    private let dictionary: RadiusDictionary

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    private func expectAgreement(_ constants: [(String, UInt8)]) {
        for (name, number) in constants {
            #expect(dictionary.attribute(named: name)?.path == AttributePath(numbers: [UInt32(number)]), "\(name)")
            #expect(dictionary.attribute(number: UInt32(number))?.name == name)
        }
    }

    @Test func numbersUpToAcctStatusTypeAgree() {
        expectAgreement([
            ("User-Name", AttributeNumber.userName), ("User-Password", AttributeNumber.userPassword),
            ("CHAP-Password", AttributeNumber.chapPassword), ("NAS-IP-Address", AttributeNumber.nasIPAddress),
            ("NAS-Port", AttributeNumber.nasPort), ("Service-Type", AttributeNumber.serviceType),
            ("Framed-Protocol", AttributeNumber.framedProtocol), ("Framed-IP-Address", AttributeNumber.framedIPAddress),
            ("Framed-IP-Netmask", AttributeNumber.framedIPNetmask), ("Framed-Routing", AttributeNumber.framedRouting),
            ("Filter-Id", AttributeNumber.filterID), ("Framed-MTU", AttributeNumber.framedMTU),
            ("Framed-Compression", AttributeNumber.framedCompression), ("Login-IP-Host", AttributeNumber.loginIPHost),
            ("Login-Service", AttributeNumber.loginService), ("Login-TCP-Port", AttributeNumber.loginTCPPort),
            ("Reply-Message", AttributeNumber.replyMessage), ("Callback-Number", AttributeNumber.callbackNumber),
            ("Callback-Id", AttributeNumber.callbackID), ("Framed-Route", AttributeNumber.framedRoute),
            ("Framed-IPX-Network", AttributeNumber.framedIPXNetwork), ("State", AttributeNumber.state),
            ("Class", AttributeNumber.classAttribute), ("Vendor-Specific", AttributeNumber.vendorSpecific),
            ("Session-Timeout", AttributeNumber.sessionTimeout), ("Idle-Timeout", AttributeNumber.idleTimeout),
            ("Termination-Action", AttributeNumber.terminationAction), ("Called-Station-Id", AttributeNumber.calledStationID),
            ("Calling-Station-Id", AttributeNumber.callingStationID), ("NAS-Identifier", AttributeNumber.nasIdentifier),
            ("Proxy-State", AttributeNumber.proxyState), ("Login-LAT-Service", AttributeNumber.loginLATService),
            ("Login-LAT-Node", AttributeNumber.loginLATNode), ("Login-LAT-Group", AttributeNumber.loginLATGroup),
            ("Acct-Status-Type", AttributeNumber.acctStatusType), ("Acct-Delay-Time", AttributeNumber.acctDelayTime),
            ("Acct-Input-Octets", AttributeNumber.acctInputOctets), ("Acct-Output-Octets", AttributeNumber.acctOutputOctets),
            ("Acct-Session-Id", AttributeNumber.acctSessionID), ("Acct-Authentic", AttributeNumber.acctAuthentic),
        ])
    }

    @Test func numbersOfAccountingAndTunnelsAgree() {
        expectAgreement([
            ("Acct-Session-Time", AttributeNumber.acctSessionTime), ("Acct-Input-Packets", AttributeNumber.acctInputPackets),
            ("Acct-Output-Packets", AttributeNumber.acctOutputPackets),
            ("Acct-Terminate-Cause", AttributeNumber.acctTerminateCause),
            ("Acct-Multi-Session-Id", AttributeNumber.acctMultiSessionID), ("Acct-Link-Count", AttributeNumber.acctLinkCount),
            ("Acct-Input-Gigawords", AttributeNumber.acctInputGigawords),
            ("Acct-Output-Gigawords", AttributeNumber.acctOutputGigawords), ("Event-Timestamp", AttributeNumber.eventTimestamp),
            ("Egress-VLANID", AttributeNumber.egressVLANID), ("Ingress-Filters", AttributeNumber.ingressFilters),
            ("Egress-VLAN-Name", AttributeNumber.egressVLANName), ("User-Priority-Table", AttributeNumber.userPriorityTable),
            ("CHAP-Challenge", AttributeNumber.chapChallenge), ("NAS-Port-Type", AttributeNumber.nasPortType),
            ("Port-Limit", AttributeNumber.portLimit), ("Login-LAT-Port", AttributeNumber.loginLATPort),
            ("Tunnel-Type", AttributeNumber.tunnelType), ("Tunnel-Medium-Type", AttributeNumber.tunnelMediumType),
            ("Tunnel-Client-Endpoint", AttributeNumber.tunnelClientEndpoint),
            ("Tunnel-Server-Endpoint", AttributeNumber.tunnelServerEndpoint),
            ("Acct-Tunnel-Connection", AttributeNumber.acctTunnelConnection), ("Tunnel-Password", AttributeNumber.tunnelPassword),
            ("ARAP-Password", AttributeNumber.arapPassword), ("ARAP-Features", AttributeNumber.arapFeatures),
            ("ARAP-Zone-Access", AttributeNumber.arapZoneAccess), ("ARAP-Security", AttributeNumber.arapSecurity),
            ("ARAP-Security-Data", AttributeNumber.arapSecurityData), ("Password-Retry", AttributeNumber.passwordRetry),
            ("Prompt", AttributeNumber.prompt), ("Connect-Info", AttributeNumber.connectInfo),
            ("Configuration-Token", AttributeNumber.configurationToken), ("EAP-Message", AttributeNumber.eapMessage),
            ("Message-Authenticator", AttributeNumber.messageAuthenticator),
            ("Tunnel-Private-Group-Id", AttributeNumber.tunnelPrivateGroupID),
            ("Tunnel-Assignment-Id", AttributeNumber.tunnelAssignmentID), ("Tunnel-Preference", AttributeNumber.tunnelPreference),
            ("ARAP-Challenge-Response", AttributeNumber.arapChallengeResponse),
            ("Acct-Interim-Interval", AttributeNumber.acctInterimInterval),
            ("Acct-Tunnel-Packets-Lost", AttributeNumber.acctTunnelPacketsLost),
        ])
    }

    @Test func numbersOfExtensionsAgree() {
        expectAgreement([
            ("NAS-Port-Id", AttributeNumber.nasPortID), ("Framed-Pool", AttributeNumber.framedPool),
            ("Chargeable-User-Identity", AttributeNumber.chargeableUserIdentity),
            ("Tunnel-Client-Auth-Id", AttributeNumber.tunnelClientAuthID),
            ("Tunnel-Server-Auth-Id", AttributeNumber.tunnelServerAuthID), ("NAS-Filter-Rule", AttributeNumber.nasFilterRule),
            ("Originating-Line-Info", AttributeNumber.originatingLineInfo), ("NAS-IPv6-Address", AttributeNumber.nasIPv6Address),
            ("Framed-Interface-Id", AttributeNumber.framedInterfaceID), ("Framed-IPv6-Prefix", AttributeNumber.framedIPv6Prefix),
            ("Login-IPv6-Host", AttributeNumber.loginIPv6Host), ("Framed-IPv6-Route", AttributeNumber.framedIPv6Route),
            ("Framed-IPv6-Pool", AttributeNumber.framedIPv6Pool), ("Error-Cause", AttributeNumber.errorCause),
            ("EAP-Key-Name", AttributeNumber.eapKeyName), ("Delegated-IPv6-Prefix", AttributeNumber.delegatedIPv6Prefix),
            ("Operator-Name", AttributeNumber.operatorName), ("Location-Information", AttributeNumber.locationInformation),
            ("Location-Data", AttributeNumber.locationData),
            ("Basic-Location-Policy-Rules", AttributeNumber.basicLocationPolicyRules),
            ("Extended-Location-Policy-Rules", AttributeNumber.extendedLocationPolicyRules),
            ("Location-Capable", AttributeNumber.locationCapable),
            ("Requested-Location-Info", AttributeNumber.requestedLocationInfo),
            ("DS-Lite-Tunnel-Name", AttributeNumber.dsLiteTunnelName), ("Framed-IPv6-Address", AttributeNumber.framedIPv6Address),
            ("DNS-Server-IPv6-Address", AttributeNumber.dnsServerIPv6Address),
            ("Route-IPv6-Information", AttributeNumber.routeIPv6Information),
            ("Delegated-IPv6-Prefix-Pool", AttributeNumber.delegatedIPv6PrefixPool),
            ("Stateful-IPv6-Address-Pool", AttributeNumber.statefulIPv6AddressPool),
            ("IPv6-6rd-Configuration", AttributeNumber.ipv6RDConfiguration),
            ("Extended-Attribute-1", AttributeNumber.extendedAttribute1),
            ("Extended-Attribute-2", AttributeNumber.extendedAttribute2),
            ("Extended-Attribute-3", AttributeNumber.extendedAttribute3),
            ("Extended-Attribute-4", AttributeNumber.extendedAttribute4),
            ("Extended-Attribute-5", AttributeNumber.extendedAttribute5),
            ("Extended-Attribute-6", AttributeNumber.extendedAttribute6),
        ])
    }
}
