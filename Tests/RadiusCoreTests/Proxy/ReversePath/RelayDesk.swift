import CLinux
import Testing

@testable import RadiusCore

/// Two partners and their realms, and requests of theirs.
enum RelayDesk {
    static let secret = SharedSecret(Array("between-the-servers".utf8))
    static let identifiers = OperatorNASIdentifiers(secrets: [[UInt8](repeating: 7, count: 32)])
    static let loopback = IPAddress(ipv4: 0x7f00_0001)

    static func server(
        _ id: Int64, tenant: Int64 = 1, address: IPAddress = loopback, transport: HomeServer.Transport = .udp,
        secret: SharedSecret = secret, requiresMessageAuthenticator: Bool = false
    ) -> HomeServer {
        HomeServer(
            id: id, tenant: tenant, name: "home\(id)", address: address, transport: transport, secret: secret,
            requiresMessageAuthenticator: requiresMessageAuthenticator)
    }

    /// A realm whose log-ins `server` answers; those of `accounting` are told what was used.
    static func realm(
        _ kind: Realm.Kind, _ text: String, _ server: HomeServer?, accounting: HomeServer? = nil, strips: Bool = false,
        replyRemove: [String] = [], replySet: [String] = [], requestRemove: [String] = []
    ) throws -> Realm {
        func pool(_ server: HomeServer?) -> HomeServerPool? {
            server.map { HomeServerPool(id: $0.id, tenant: $0.tenant, name: $0.name, kind: .failover, servers: [$0]) }
        }
        func filter(_ remove: [String], set: [String] = []) throws -> AttributeFilter {
            var problems: [String] = []
            let dictionary = try ShippedDictionaries.loaded.get()
            let filter = AttributeFilter(allow: [], remove: remove, set: set, dictionary: dictionary, problems: &problems)
            try #require(problems.isEmpty)
            return filter
        }
        let id = Int64(text.count)
        return try #require(
            Realm(
                id: id, tenant: server?.tenant ?? accounting?.tenant ?? 1, name: text, kind: kind, text: text, accessPool: pool(server),
                accountingPool: pool(accounting), strips: strips, requestFilter: try filter(requestRemove),
                replyFilter: try filter(replyRemove, set: replySet)))
    }

    /// A request that verified and came from `servers`.
    static func request(
        _ kind: CoARequest.Kind = .disconnect, from servers: [HomeServer], _ attributes: [UInt8]...
    ) throws -> RelayedRequest {
        let packet = packet(attributes.flatMap { $0 }, kind: kind)
        let verified = try DynamicAuthorizationServer(secret: secret).verify(packet.span, now: now)
        return RelayedRequest(
            servers: servers, request: verified,
            returnPath: .init(peer: loopback, port: 4000, scope: 0, local: loopback, interface: 0), identifiers: identifiers)
    }

    static var now: UInt32 { UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000) }

    /// A signed packet of any attributes, also those that our own requests never carry.
    static func packet(
        _ attributes: [UInt8], kind: CoARequest.Kind = .disconnect, identifier: UInt8 = 1, isSigned: Bool = true, timestamp: UInt32 = now,
        secret: SharedSecret = secret
    ) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: kind.code, identifier: identifier)
        if isSigned { writer.reserveMessageAuthenticator() }
        writer.append(encoded: attributes.span)
        writer.append(AttributeNumber.eventTimestamp, timestamp)
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        var span = octets.mutableSpan
        if let offset = finished.messageAuthenticatorOffset {
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: Digest16(repeating: 0), secret: secret)
        }
        RequestAuthenticator.sign(&span, secret: secret)
        return octets
    }

    static func text(_ type: UInt8, _ value: String) -> [UInt8] { ScriptedHomeServer.attribute(type, Array(value.utf8)) }
    static func user(_ name: String) -> [UInt8] { text(AttributeNumber.userName, name) }
    static func session(_ id: String) -> [UInt8] { text(AttributeNumber.acctSessionID, id) }

    /// The values of `type` among encoded attributes.
    static func values(_ type: UInt8, in attributes: [UInt8]) -> [[UInt8]] {
        ScriptedHomeServer.values(type, in: [UInt8](repeating: 0, count: PacketHeader.count) + attributes)
    }
}
