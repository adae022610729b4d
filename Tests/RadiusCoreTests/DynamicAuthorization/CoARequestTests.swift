import RadiusCore
import Testing

/// Packets computed with Python's hashlib and hmac from the rules of RFC 5176 §2.3 and §3.4.
@Suite struct CoARequestTests {
    private static let secret = SharedSecret(Array("xyzzy5461".utf8))
    private static let session = SessionIdentity(userName: "alice", acctSessionID: "81a00001", framedIPv4: 0x6440_0007)
    private static let timestamp: UInt32 = 1_700_000_000

    static func octets(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
    }

    private static let coa = octets(
        "2b0700529066398732c5d49a57324b1044ec4d275012ac07b4598b6fe46ff9712f7624ac68cf0107616c696365080664400007"
            + "2c0a38316130303030311a0f00003a8c080931304d2f35304d37066553f100")

    @Test func signsMessageAuthenticatorThenRequestAuthenticator() throws {
        let plan = BandwidthRate(downloadBitsPerSecond: 50_000_000, uploadBitsPerSecond: 10_000_000)
        let change = VendorRates.render(plan, for: .mikrotik, in: .coa).attributes
        let request = try CoARequest(.coa, of: Self.session, at: .mikrotik, change: change)
        #expect(request.encode(identifier: 7, timestamp: Self.timestamp, secret: Self.secret) == Self.coa)
    }

    @Test func disconnectCarriesIdentificationOnly() throws {
        let request = try CoARequest(.disconnect, of: Self.session, at: .mikrotik, change: [27, 6, 0, 0, 0, 1])
        let expected =
            "28ff004333e691252684c3c0c49bd3e3920fc27f5012850101960e7c02c2eb70f3a4e9b8f8550107616c6963650806644000072c0a3831613030303031"
            + "37066553f100"
        #expect(request.encode(identifier: 255, timestamp: Self.timestamp, secret: Self.secret) == Self.octets(expected))
    }

    @Test func leavesOutMessageAuthenticatorWhereTheDeviceRefusesIt() throws {
        let request = try CoARequest(.disconnect, of: Self.session, at: .mikrotik)
        let packet = request.encode(
            identifier: 0, timestamp: Self.timestamp, secret: Self.secret, hasMessageAuthenticator: false)
        let expected =
            "28000031c9bf041dc13a0dfd8a2bec982c86e7980107616c6963650806644000072c0a383161303030303137066553f100"
        #expect(packet == Self.octets(expected))
    }

    @Test func refusesWhatMayNotStandInARequest() {
        #expect(throws: CoARequestError.forbiddenAttribute(49)) {
            try CoARequest(.coa, of: Self.session, at: .cisco, change: [49, 6, 0, 0, 0, 6])
        }
        #expect(throws: CoARequestError.forbiddenAttribute(80)) { try CoARequest(.coa, attributes: [80, 2]) }
        #expect(throws: CoARequestError.malformedAttributes) { try CoARequest(.coa, attributes: [27, 6, 0]) }
        #expect(throws: CoARequestError.malformedAttributes) { try CoARequest(.coa, attributes: [27, 1]) }
    }

    @Test func refusesWhatDoesNotFit() {
        let long = [UInt8]([18, 255] + [UInt8](repeating: 65, count: 253))
        #expect(throws: CoARequestError.packetTooLong) {
            try CoARequest(.coa, attributes: (0..<16).flatMap { _ in long })
        }
        let session = SessionIdentity(userName: String(repeating: "u", count: 254), acctSessionID: "1")
        #expect(throws: CoARequestError.valueTooLong(1)) { try CoARequest(.disconnect, of: session, at: .generic) }
    }

    /// RFC 8559 §3.4: the proxy finds the NAS by what it called it.
    @Test func carriesBackWhatAProxyCallsTheNAS() throws {
        var session = Self.session
        let name = [UInt8](repeating: 0xa5, count: 252)
        session.operatorNAS = name
        let plain = try CoARequest(.disconnect, of: Self.session, at: .mikrotik)
        #expect(try CoARequest(.disconnect, of: session, at: .mikrotik).attributes == plain.attributes + [241, 255, 8] + name)
        let change: [UInt8] = [27, 6, 0, 0, 0, 60]
        #expect(
            try CoARequest(.coa, of: session, at: .mikrotik, change: change).attributes
                == plain.attributes + [241, 255, 8] + name + change)
        session.operatorNAS = [7]
        #expect(try CoARequest(.disconnect, of: session, at: .generic).attributes.suffix(4) == [241, 4, 8, 7])
        session.operatorNAS = []
        #expect(try CoARequest(.disconnect, of: session, at: .mikrotik) == plain)
        session.operatorNAS = name + [1]
        #expect(throws: CoARequestError.valueTooLong(241)) { try CoARequest(.disconnect, of: session, at: .mikrotik) }
    }

    @Test func refusesASessionThatNothingNames() {
        let session = SessionIdentity(userName: "alice", nasAddress: IPAddress(ipv4: 0xc000_0201))
        for vendor in NASVendor.allCases {
            #expect(throws: CoARequestError.unidentified) { try CoARequest(.disconnect, of: session, at: vendor) }
        }
    }

    @Test func serverTakesTheGoldenPacketAndSignsTheGoldenAnswers() throws {
        let server = DynamicAuthorizationServer(secret: Self.secret, requiresMessageAuthenticator: true)
        let request = try server.verify(Self.coa.span, now: Self.timestamp + 300)
        #expect(request.kind == .coa)
        #expect(request.value(1) == Array("alice".utf8))
        #expect(request.mismatch(with: Self.session) == nil)
        let nak = "2d07002c99fe908c88e860e4afd20cb8a68d799b5012218dd1939ac84403c46729b6b70d14696506000001f7"
        #expect(server.refuse(request, cause: .sessionContextNotFound) == Self.octets(nak))
        let ack = "2c070026e1b9d8d414e35d87a38b18c2884be47450123e6e18fec0cdf1c21285b6419e252123"
        #expect(server.acknowledge(request) == Self.octets(ack))
    }

    @Test func serverDropsWhatIsStaleAlteredOrForeign() {
        let server = DynamicAuthorizationServer(secret: Self.secret)
        #expect(throws: DynamicAuthorizationError.staleTimestamp) { try server.verify(Self.coa.span, now: Self.timestamp + 301) }
        #expect(throws: DynamicAuthorizationError.staleTimestamp) { try server.verify(Self.coa.span, now: Self.timestamp - 301) }
        var altered = Self.coa
        altered[70] ^= 1
        #expect(throws: DynamicAuthorizationError.packet(.requestAuthenticatorInvalid)) {
            try server.verify(altered.span, now: Self.timestamp)
        }
        var access = Self.coa
        access[0] = 1
        #expect(throws: DynamicAuthorizationError.packet(.unsupportedCode)) { try server.verify(access.span, now: Self.timestamp) }
        #expect(throws: DynamicAuthorizationError.packet(.shorterThanHeader)) { try server.verify([43, 1].span, now: 0) }
    }

    @Test func serverReturnsProxyStateInOrder() throws {
        let request = try CoARequest(.coa, attributes: [33, 3, 1, 44, 3, 65, 33, 3, 2])
        let packet = request.encode(identifier: 1, timestamp: 5, secret: Self.secret, hasMessageAuthenticator: false)
        let server = DynamicAuthorizationServer(secret: Self.secret)
        let verified = try server.verify(packet.span, now: 5)
        #expect(Array(server.acknowledge(verified).dropFirst(20)) == [33, 3, 1, 33, 3, 2])
        #expect(throws: DynamicAuthorizationError.packet(.messageAuthenticatorMissing)) {
            try DynamicAuthorizationServer(secret: Self.secret, requiresMessageAuthenticator: true).verify(packet.span, now: 5)
        }
    }

    @Test func serverNamesTheMismatch() throws {
        func mismatch(_ attributes: [UInt8], _ session: SessionIdentity) throws -> ErrorCause? {
            let packet = try CoARequest(.disconnect, attributes: attributes).encode(identifier: 1, timestamp: 5, secret: Self.secret)
            return try DynamicAuthorizationServer(secret: Self.secret).verify(packet.span, now: 5).mismatch(with: session)
        }
        let session = SessionIdentity(acctSessionID: "A", nasAddress: IPAddress(ipv4: 0x0a00_0001))
        #expect(try mismatch([44, 3, 65], session) == nil)
        #expect(try mismatch([44, 3, 66], session) == .sessionContextNotFound)
        #expect(try mismatch([4, 6, 10, 0, 0, 1], session) == .missingAttribute)
        #expect(try mismatch([4, 6, 10, 0, 0, 2, 44, 3, 65], session) == .nasIdentificationMismatch)
        #expect(try mismatch([31, 3, 65, 44, 3, 65], session) == .sessionContextNotFound)
    }
}
