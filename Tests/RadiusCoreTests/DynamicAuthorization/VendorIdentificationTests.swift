import RadiusCore
import Testing

@Suite struct VendorIdentificationTests {
    private static let full = SessionIdentity(
        userName: "alice", acctSessionID: "81", callingStationID: "00-11-22-33-44-55", nasPortID: "eth1", nasIdentifier: "core1",
        nasAddress: IPAddress(ipv4: 0xc000_0201), framedIPv4: 0x6440_0007)

    private func keys(_ vendor: NASVendor, _ session: SessionIdentity = full) -> [IdentityKey]? {
        VendorIdentification.of(vendor).keys(for: session)
    }

    @Test func mikrotikGetsTheAddressThatHotspotsNeedAndNoNASAttribute() {
        #expect(keys(.mikrotik) == [.userName, .framedIPAddress, .acctSessionID])
    }

    @Test func ciscoAndNokiaGetOneKey() {
        #expect(keys(.cisco) == [.acctSessionID])
        #expect(keys(.nokia) == [.acctSessionID])
        var session = Self.full
        session.acctSessionID = nil
        #expect(keys(.nokia, session) == [.framedIPAddress, .nasPortID])
        #expect(keys(.cisco, session) == [.userName, .framedIPAddress])
    }

    @Test func radioGetsTheStation() {
        #expect(keys(.aruba) == [.userName, .callingStationID, .acctSessionID])
    }

    @Test func genericNamesTheNAS() {
        #expect(keys(.generic) == [.userName, .nasAddress, .framedIPAddress, .nasIdentifier, .acctSessionID])
    }

    @Test(arguments: NASVendor.allCases) func oneOfSeveralAtAnAddressIsNamedWhateverItsMake(vendor: NASVendor) throws {
        var session = Self.full
        session.sharesAddress = true
        #expect(try #require(keys(vendor, session)).contains(.nasIdentifier))
    }

    @Test(arguments: NASVendor.allCases) func everyVendorHasAnAlternativeThatNamesASession(vendor: NASVendor) {
        let table = VendorIdentification.of(vendor)
        let naming: Set<IdentityKey> = [.acctSessionID, .framedIPAddress, .callingStationID, .nasPortID]
        #expect(!table.alternatives.isEmpty)
        for alternative in table.alternatives { #expect(!naming.isDisjoint(with: alternative)) }
        #expect(!table.source.isEmpty)
    }

    @Test func anIPv6NASIsNamedByItsOwnAttribute() throws {
        let address = IPAddress(high: 0x2001_0db8_0000_0000, low: 1)
        let attribute = try #require(SessionIdentity(nasAddress: address).attribute(.nasAddress))
        #expect(attribute.number == 95)
        #expect(attribute.value == [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1])
    }
}

@Suite struct ErrorCauseTests {
    /// RFC 5176 §3.5 and RFC 7930 §4.
    private static let named: [UInt32] = [
        201, 202, 401, 402, 403, 404, 405, 406, 407, 501, 502, 503, 504, 505, 506, 507, 508, 601,
    ]

    @Test(arguments: named) func everyCauseHasNameAndAdvice(value: UInt32) {
        let cause = ErrorCause(rawValue: value)
        #expect(!cause.name.hasPrefix("Error-Cause-"))
        #expect(cause.message.hasSuffix("."))
    }

    @Test func anUnknownCauseKeepsItsNumber() {
        for value in [0, 203, 408, 599, 602, UInt32.max] {
            #expect(ErrorCause(rawValue: value).name == "Error-Cause-\(value)")
            #expect(ErrorCause(rawValue: value).message.contains("\(value)"))
        }
        #expect(ErrorCause.sessionContextNotFound.name == "Session-Context-Not-Found")
    }
}
