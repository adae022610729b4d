import Testing

@testable import RadiusCore

/// Clients that have one address and are told apart by NAS-Identifier.
@Suite struct SharedAddressTests {
    private static func client(_ id: Int64, _ network: String, _ length: Int = 128, _ identifier: String = "") throws -> NASClient {
        NASClient(
            id: id, tenant: 1, name: "nas\(id)", identifier: identifier, network: try #require(IPAddress(text: network)),
            prefixLength: length, secret: SharedSecret(Array("secret".utf8)), vendor: .generic)
    }

    private func find(_ table: ClientTable, _ address: String, _ identifier: String = "") throws -> Int64? {
        table.find(try #require(IPAddress(text: address)), identifier: identifier)?.id
    }

    /// Whatever the order in which they were made.
    @Test(arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]])
    func theIdentifierChoosesAndOneWithoutTakesTheRest(order: [Int]) throws {
        let clients = [
            try Self.client(1, "192.0.2.1"), try Self.client(2, "192.0.2.1", 128, "ap-1"), try Self.client(3, "192.0.2.1", 128, "ap-2"),
            try Self.client(4, "192.0.2.2", 128, "ap-1"),
        ]
        let table = ClientTable(order.map { clients[$0] })
        #expect(try find(table, "192.0.2.1", "ap-1") == 2)
        #expect(try find(table, "192.0.2.1", "ap-2") == 3)
        #expect(try find(table, "192.0.2.1", "ap-3") == 1)
        #expect(try find(table, "192.0.2.1") == 1)
        #expect(try find(table, "192.0.2.1", "AP-1") == 1)
        // The same identifier at another address is another NAS, and nobody takes the rest there.
        #expect(try find(table, "192.0.2.2", "ap-1") == 4)
        #expect(try find(table, "192.0.2.2", "ap-2") == nil)
        #expect(try find(table, "192.0.2.2") == nil)
    }

    @Test func networksAreSharedTooAndTheLongestPrefixDecidesFirst() throws {
        let table = ClientTable([
            try Self.client(1, "10.0.0.0", 96 + 8), try Self.client(2, "10.0.0.0", 96 + 8, "a"),
            try Self.client(3, "10.1.0.0", 96 + 16, "b"),
        ])
        #expect(try find(table, "10.9.9.9", "a") == 2)
        #expect(try find(table, "10.9.9.9", "b") == 1)
        #expect(try find(table, "10.1.9.9", "b") == 3)
        #expect(try find(table, "10.1.9.9", "a") == nil)
    }

    @Test func manyShareOneAddress() throws {
        let clients = try (1...2000).map { try Self.client(Int64($0), "192.0.2.1", 128, "ap-\($0)") }
        let table = ClientTable(clients)
        for number in [1, 2, 777, 1999, 2000] { #expect(try find(table, "192.0.2.1", "ap-\(number)") == Int64(number)) }
        #expect(try find(table, "192.0.2.1", "ap-2001") == nil)
    }

    @Test func aConnectionIsTheOneWithoutIdentifiers() throws {
        let shared = ClientTable([try Self.client(1, "192.0.2.1"), try Self.client(2, "192.0.2.1", 128, "ap-1")])
        let named = ClientTable([try Self.client(2, "192.0.2.1", 128, "ap-1")])
        let address = try #require(IPAddress(text: "192.0.2.1"))
        #expect(shared.rows.find(address)?.pointee.id == 1)
        #expect(named.rows.find(address) == nil)
    }

    @Test func anAddressHasFewSharesHoweverManyShareIt() throws {
        let named = try (Int64(3)...500).map { try Self.client($0, "192.0.2.1", 128, "ap-\($0)") }
        let rows = ClientTable([try Self.client(1, "192.0.2.1"), try Self.client(2, "192.0.2.9")] + named).rows
        func row(_ id: Int64) throws -> ClientRow { try #require(rows.find(id: id)?.pointee) }
        let shares = Set(try (3...500).map { try row($0).share })
        #expect(shares.count == 7)
        // What no identifier takes has a share of its own, and nobody elsewhere has any of these.
        let (rest, alone) = (try row(1), try row(2))
        #expect(!shares.contains(rest.share) && !shares.contains(alone.share) && rest.share != alone.share)
        #expect(alone.share == 2 && !alone.isShared && alone.mark == 0)
        let marks = try (3...500).map { try row($0).mark }
        #expect(Set(marks + [rest.mark, 0]).count == 500)
    }

    /// NAS-Identifier is looked for before anything of a packet was checked.
    @Test func garbageHasNoIdentifier() {
        var packet: [UInt8] = [1, 1, 0, 33] + [UInt8](repeating: 7, count: 16) + [1, 3, 9, 32, 4, 97, 112, 4, 6, 1, 2, 3, 4]
        func identifier(_ count: Int) -> String {
            packet.withUnsafeBufferPointer { packet in
                String(decoding: PacketPath.identifier(in: packet.baseAddress!, count), as: UTF8.self)
            }
        }
        #expect(identifier(33) == "ap")
        // Cut off, with a length that lies, of no length, one octet long.
        for count in 0..<27 { #expect(identifier(count).isEmpty, "\(count)") }
        #expect(identifier(27) == "ap")
        packet[24] = 200
        #expect(identifier(33).isEmpty)
        packet[24] = 1
        #expect(identifier(33).isEmpty)
        packet[24] = 4
        packet[3] = 26
        #expect(identifier(33).isEmpty)
        packet[3] = 33
        packet[21] = 0
        #expect(identifier(33).isEmpty)
    }
}
