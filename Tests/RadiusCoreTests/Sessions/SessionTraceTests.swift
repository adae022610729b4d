import Testing

@testable import RadiusCore

@Suite struct SessionTraceTests {
    private static let peer = InlineArray<16, UInt8> { UInt8($0) }

    private static func trace(_ code: PacketCode, _ attributes: [UInt8], nas: Int64 = 7) throws -> SessionTrace {
        var packet: [UInt8] = [code.rawValue, 1, 0, UInt8(20 + attributes.count)] + [UInt8](repeating: 0, count: 16) + attributes
        let offsets = UnsafeMutablePointer<UInt16>.allocate(capacity: RequestAttributes.capacity)
        defer { offsets.deallocate() }
        offsets.initialize(repeating: 0, count: RequestAttributes.capacity)
        return try packet.withUnsafeMutableBufferPointer { octets in
            let start = UnsafePointer(try #require(octets.baseAddress))
            return SessionTrace(
                try RequestAttributes(start, count: octets.count, offsets: offsets, AttributePlaces()), nas: nas, peer: peer)
        }
    }

    /// As accounting makes a row of the same packet.
    private static func stored(_ attributes: [UInt8], nas: Int64 = 7, calling: [UInt8]) throws -> SessionTrace {
        let packet: [UInt8] = [4, 1, 0, UInt8(20 + attributes.count)] + [UInt8](repeating: 0, count: 16) + attributes
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        let key = SessionKey(packet: packet.span, index: index, nas: nas, peer: peer)
        return SessionTrace(key: key.octets, nas: nas, callingStation: calling)
    }

    private static func attribute(_ number: UInt8, _ octets: [UInt8]) -> [UInt8] { BindingServerTests.attribute(number, octets) }
    private static let session = attribute(44, [1, 2, 3])
    private static let port = attribute(5, [0, 0, 1, 9])
    private static let station = Array("00-53-00-12-34-56".utf8)

    @Test(
        arguments: [
            [], [4, 6, 192, 0, 2, 7], [32, 5, 0x62, 0x6e, 0x67], [32, 5, 0x62, 0x6e, 0x67, 4, 6, 192, 0, 2, 7],
            [95, 18] + [UInt8](repeating: 9, count: 16),
        ] as [[UInt8]])
    func aRowReadsAsItsRecordDid(nas: [UInt8]) throws {
        let attributes = nas + Self.session + Self.port + Self.attribute(31, Self.station) + Self.attribute(1, [0x61])
        let told = try Self.trace(.accountingRequest, attributes)
        #expect(try told == Self.stored(attributes, calling: Self.station))
        #expect(told.session != 0 && told.port != 0 && told.station == 0x0053_0012_3456)
        #expect(try told != Self.stored(attributes, nas: 8, calling: Self.station))
        // The login had no session yet, and wrote the address in another way.
        let login = try Self.trace(.accessRequest, nas + Self.attribute(31, Array("0053.0012.3456".utf8)) + Self.port)
        #expect(login.session == 0 && login.isSamePlace(as: told) && login.port == told.port)
    }

    @Test func aPortOfZeroAndNoStationAreNoPlace() throws {
        let nowhere = try Self.trace(.accessRequest, Self.attribute(5, [0, 0, 0, 0]))
        #expect(nowhere.port == 0 && nowhere.station == 0 && !nowhere.isSamePlace(as: nowhere))
        #expect(!SessionTrace.nowhere.isSamePlace(as: .nowhere))
        let phone = try Self.trace(.accessRequest, Self.attribute(31, Array(" line 7 ".utf8)))
        let again = try Self.trace(.accessRequest, Self.attribute(31, Array("line 7".utf8)))
        #expect(phone.station >> 63 == 1 && phone.isSamePlace(as: again))
    }

    @Test(arguments: ["00:00:00:00:00:00", "000000000000", " 0000.0000.0000 ", "0", "-"])
    func zerosAloneAreNoStation(text: String) throws {
        #expect(try Self.trace(.accessRequest, Self.attribute(31, Array(text.utf8))).station == 0)
        #expect(SessionTrace(key: [], nas: 1, callingStation: Array(text.utf8)).station == 0)
    }

    @Test func aSessionIsAtItsOwnPlace() throws {
        let session = try Self.trace(.accountingRequest, Self.session + Self.attribute(31, Self.station))
        let again = try Self.trace(.accessRequest, Self.session)
        #expect(again.station == 0 && again.port == 0 && again.isSamePlace(as: session))
    }

    /// All of a WLAN controller may be on port 1.
    @Test func stationsThatDifferAreTwoPlacesOnOnePort() throws {
        let here = try Self.trace(.accessRequest, Self.port + Self.attribute(31, Self.station))
        let there = try Self.trace(.accessRequest, Self.port + Self.attribute(31, Array("00-53-00-12-34-57".utf8)))
        let untold = try Self.trace(.accessRequest, Self.port)
        #expect(here.port == there.port && !here.isSamePlace(as: there))
        #expect(here.isSamePlace(as: untold) && untold.isSamePlace(as: there))
        let elsewhere = try Self.trace(.accessRequest, Self.attribute(5, [0, 0, 1, 8]) + Self.attribute(31, Self.station))
        #expect(elsewhere.port != here.port && elsewhere.isSamePlace(as: here))
    }

    @Test func aKeyThatIsCutOffIsNobodys() {
        for key in [[], [3, 1], [0, 0, 200, 1], [255]] as [[UInt8]] {
            #expect(SessionTrace(key: key, nas: 1, callingStation: []).session == 0)
        }
    }
}
