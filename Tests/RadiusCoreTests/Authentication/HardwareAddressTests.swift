import Testing

@testable import RadiusCore

@Suite struct HardwareAddressTests {
    @Test(arguments: ["00:53:00:aB:34:56", "00-53-00-AB-34-56", "0053.00ab.3456", "005300ab3456", "0053-00ab3456"])
    func readsEveryNotation(text: String) {
        let address = HardwareAddress(Array(text.utf8).span)
        #expect(address?.value == 0x0053_00ab_3456)
        #expect(address?.text.span.withUnsafeBytes { Array($0) } == Array("00:53:00:ab:34:56".utf8))
    }

    @Test(arguments: [
        "", "00:53:00:ab:34:5", "00:53:00:ab:34:567", "00:53:00:ab:34:5g", ":0053:00:ab:34:5", "00::5300ab3456", "005300ab3456:",
        "0:053:00:ab:34:56",
        "00 53 00 ab 34 56", "alice",
    ])
    func refusesWhatIsNone(text: String) {
        let address = HardwareAddress(Array(text.utf8).span)
        #expect(address == nil)
    }
}

@Suite struct StationLoginTests {
    private static func host(password: String? = nil) throws -> TestServer {
        var station = TestServer.subscriber("00:53:00:ab:34:56", password: password)
        station.authenticatesByMAC = true
        var plain = TestServer.subscriber("00:53:00:ab:34:57", password: nil)
        plain.id = 43
        return try TestServer(subscribers: [station, plain])
    }

    private static func calling(_ text: String) -> [UInt8] {
        [AttributeNumber.callingStationID, UInt8(text.utf8.count + 2)] + Array(text.utf8)
    }

    @Test(arguments: [
        ("00:53:00:ab:34:56", "00:53:00:ab:34:56", "", UInt8(2)), ("00-53-00-AB-34-56", "00-53-00-AB-34-56", "", 2),
        ("005300AB3456", "00:53:00:ab:34:56", "0053.00AB.3456", 2), ("005300AB3456", "005300AB3456", "00-53-00-AB-34-99", 3),
        ("005300AB3456", "005300AB3456", "somewhere", 3), ("005300AB3456", "secret", "", 3), ("005300AB3457", "005300AB3457", "", 3),
        ("00:53:00:ab:34:57", "00:53:00:ab:34:57", "", 3), ("005300AB3458", "005300AB3458", "", 3),
    ])
    func theAddressIsTheProof(user: String, password: String, calling: String, code: UInt8) throws {
        let extra = calling.isEmpty ? [] : Self.calling(calling)
        let host = try Self.host()
        let packet = TestPacket.access(user: user, password: password, extra: extra)
        #expect(try TestNAS(to: host.server.authenticationPort).exchange(packet).first == code)
    }

    @Test func chapProvesTheNameAsItIsWritten() throws {
        let host = try Self.host()
        for (password, code) in [("00-53-00-AB-34-56", UInt8(2)), ("00:53:00:ab:34:56", 3)] {
            let credential = try #require(ClientCredential(.chap, password: Array(password.utf8)))
            let packet = try ClientPacket.access(
                identifier: code, userName: Array("00-53-00-AB-34-56".utf8), credential: credential, attributes: [],
                secret: TestServer.secret,
                random: (0..<48).map { UInt8($0) })
            #expect(try TestNAS(to: host.server.authenticationPort).exchange(packet.octets).first == code)
        }
    }

    @Test func aPasswordThatIsSetIsDemanded() throws {
        let host = try Self.host(password: "arctangent")
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, user: "005300AB3456", password: "005300AB3456")).first == 3)
        #expect(nas.exchange(TestPacket.access(2, user: "005300AB3456", password: "arctangent")).first == 2)
    }
}
