/// A NAS or home server that is known by a name of DNS.
struct NamedEntry {
    enum Kind: String, CaseIterable {
        case nas = "nas"
        case homeServer = "home_server"

        /// A NAS may be a network; it is one address where DNS knows it.
        var addressType: String { self == .nas ? "cidr" : "inet" }
    }

    let kind: Kind
    let id: Int64
    let label: String
    let name: String
    /// Nil before the first look-up.
    let address: String?
    let error: String?

    var key: String { "\(kind.rawValue) \(id) \(name)" }
    var title: String { kind == .nas ? "NAS \(label)" : "home server \(label)" }
}
