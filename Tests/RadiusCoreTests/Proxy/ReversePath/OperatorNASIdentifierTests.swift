import Testing

@testable import RadiusCore

@Suite struct OperatorNASIdentifierTests {
    private static let identifiers = RelayDesk.identifiers

    private static func value(tenant: Int64, nas: Int64, _ identifiers: OperatorNASIdentifiers = identifiers) throws -> [UInt8] {
        try #require(value(in: identifiers.attribute(tenant: tenant, nas: nas)))
    }

    private static func value(in attributes: [UInt8]) -> [UInt8]? { OperatorNASIdentifiers.value(in: attributes.span) }

    @Test(arguments: [1, 42, Int64.max]) func readsWhatItMade(nas: Int64) throws {
        let value = try Self.value(tenant: 3, nas: nas)
        #expect(Self.identifiers.read(value, tenant: 3) == .nas(nas))
        // All nodes make the same, and a restart changes nothing.
        #expect(try Self.value(tenant: 3, nas: nas) == value)
        #expect(Self.identifiers.attribute(tenant: 3, nas: nas).prefix(3) == [241, 23, 8])
    }

    @Test func anotherTenantsIsForged() throws {
        #expect(Self.identifiers.read(try Self.value(tenant: 3, nas: 42), tenant: 4) == .forged)
    }

    @Test func noOctetMayChange() throws {
        let value = try Self.value(tenant: 3, nas: 42)
        for place in value.indices {
            var changed = value
            changed[place] ^= 1
            #expect(Self.identifiers.read(changed, tenant: 3) == (place < 2 ? .foreign : .forged))
        }
    }

    @Test func whatIsNotOursIsForeign() throws {
        let value = try Self.value(tenant: 3, nas: 42)
        #expect(Self.identifiers.read(Array(value.dropLast()), tenant: 3) == .foreign)
        #expect(Self.identifiers.read(value + [0], tenant: 3) == .foreign)
        #expect(Self.identifiers.read(Array("nas-1.lab".utf8), tenant: 3) == .foreign)
    }

    @Test func aNewerKeyReadsTheOlderOnes() throws {
        let newer = OperatorNASIdentifiers(secrets: [[UInt8](repeating: 9, count: 32), [UInt8](repeating: 7, count: 32)])
        #expect(newer.read(try Self.value(tenant: 3, nas: 42), tenant: 3) == .nas(42))
        #expect(Self.identifiers.read(try Self.value(tenant: 3, nas: 42, newer), tenant: 3) == .forged)
    }

    @Test(arguments: [[241, 2], [241, 3, 8], [241, 5, 7, 1, 2], [241, 9, 8, 1]] as [[UInt8]])
    func anAttributeWithoutAValueIsNone(attribute: [UInt8]) {
        #expect(Self.value(in: attribute) == nil)
    }

    private static func plan(_ home: HomeServer, remove: [String] = []) throws -> ProxyPlan {
        ProxyPlan(servers: [home], realms: [try RelayDesk.realm(.suffix, "partner.example", home, accounting: home, requestRemove: remove)])
    }

    private static var settings: ProxyService.Settings {
        var settings = ProxyService.Settings()
        settings.operatorNAS = identifiers
        return settings
    }

    @Test func homeServersAreToldOfTheNAS() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan(home.row()), proxy: Self.settings)
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let request = try #require(home.receive())
        #expect(ScriptedHomeServer.values(241, in: request) == [[8] + (try Self.value(tenant: 1, nas: server.client.id))])
        // Ours is behind all others.
        #expect(request.suffix(18).first == AttributeNumber.proxyState)
    }

    @Test func whatSomebodyNearerTheNASSaidStays() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan(home.row()), proxy: Self.settings)
        let nas = try TestNAS(to: server.server.authenticationPort)
        let theirs = ScriptedHomeServer.attribute(241, [8] + Array("theirs".utf8))
        nas.send(TestPacket.access(1, user: "a@partner.example", extra: theirs))
        let request = try #require(home.receive())
        #expect(ScriptedHomeServer.values(241, in: request) == [[8] + Array("theirs".utf8)])
        #expect(eventually { server.count(.proxied) == 1 })
    }

    @Test func theFilterAndTheSettingKeepItBack() throws {
        let home = try ScriptedHomeServer()
        let filtered = try TestServer(
            subscribers: [], plan: try Self.plan(home.row(), remove: ["Extended-Attribute-1"]), proxy: Self.settings)
        try TestNAS(to: filtered.server.authenticationPort).send(TestPacket.access(1, user: "a@partner.example"))
        #expect(ScriptedHomeServer.values(241, in: try #require(home.receive())).isEmpty)
        #expect(eventually { filtered.count(.proxied) == 1 })
        let silent = try TestServer(subscribers: [], plan: try Self.plan(home.row()))
        try TestNAS(to: silent.server.authenticationPort).send(TestPacket.access(1, user: "a@partner.example"))
        #expect(ScriptedHomeServer.values(241, in: try #require(home.receive())).isEmpty)
        #expect(eventually { silent.count(.proxied) == 1 })
    }
}
