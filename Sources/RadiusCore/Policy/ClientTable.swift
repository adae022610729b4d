/// NAS clients by source address; the longest prefix that holds the address wins. Immutable.
public struct ClientTable: Sendable {
    let rows: ClientRows

    public init(_ clients: [NASClient]) {
        rows = ClientRows(clients)
    }

    public var clients: [NASClient] { rows.clients }

    /// The client that `source` belongs to.
    public func find(_ source: IPAddress) -> NASClient? { rows.find(source)?.pointee.client }

    /// The client called `name` in `tenant`.
    public func find(tenant: Int64, name: String) -> NASClient? {
        clients.first { $0.tenant == tenant && $0.name == name }
    }
}
