/// NAS clients by source address, and where several share one by NAS-Identifier; the longest prefix that holds the address wins. Immutable.
public struct ClientTable: Sendable {
    let rows: ClientRows

    public init(_ clients: [NASClient]) {
        rows = ClientRows(clients)
    }

    public var clients: [NASClient] { rows.clients }

    /// The client that a packet from `source` belongs to; `identifier` is its NAS-Identifier, empty without one.
    public func find(_ source: IPAddress, identifier: String = "") -> NASClient? {
        var identifier = identifier
        return rows.first(source).flatMap { row in
            identifier.withUTF8 { rows.choose(row, UnsafeRawBufferPointer($0)) }
        }?.pointee.client
    }

    /// The client called `name` in `tenant`.
    public func find(tenant: Int64, name: String) -> NASClient? {
        clients.first { $0.tenant == tenant && $0.name == name }
    }
}
