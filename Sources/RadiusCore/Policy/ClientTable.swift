/// NAS clients by source address; the longest prefix that holds the address wins. Immutable.
public struct ClientTable: Sendable {
    public let clients: [NASClient]
    /// Prefix lengths in use, longest first.
    private let lengths: [Int]
    private let positions: [Key: Int]

    public init(_ clients: [NASClient]) {
        self.clients = clients
        var found: [Key: Int] = [:]
        for (position, client) in clients.enumerated() {
            found[Key(network: client.network, length: client.prefixLength)] = position
        }
        positions = found
        lengths = Set(clients.map(\.prefixLength)).sorted(by: >)
    }

    /// The client that `source` belongs to.
    public func find(_ source: IPAddress) -> NASClient? {
        for length in lengths {
            if let position = positions[Key(network: source.masked(to: length), length: length)] { return clients[position] }
        }
        return nil
    }

    /// The client called `name` in `tenant`.
    public func find(tenant: Int64, name: String) -> NASClient? {
        clients.first { $0.tenant == tenant && $0.name == name }
    }

    private struct Key: Hashable {
        let network: IPAddress
        let length: Int
    }
}
