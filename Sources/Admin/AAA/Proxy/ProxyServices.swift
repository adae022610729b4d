/// What the interface asks of the proxy. A node without one knows of no home server.
public struct ProxyServices: Sendable {
    /// How each home server of a tenant does: the text of a JSON object.
    public var status: @Sendable (_ tenant: Int64) async throws -> String = { _ in "{\"home_servers\":[]}" }
    /// Which realm a user name belongs to, on a NAS when one is named, and which home servers would be asked: the text of a JSON object.
    public var match: @Sendable (_ tenant: Int64, _ userName: String, _ nas: String?) async throws -> String = { _, _, _ in
        "{\"realm\":null}"
    }
    /// Why a realm of this kind cannot be called so; nil when it can.
    public var checkRealm: @Sendable (_ kind: String, _ realm: String) -> String? = { _, _ in nil }
    /// Which names of attributes nobody knows, and which of them cannot be removed where that is what they stand for.
    public var checkFilter: @Sendable (_ names: [String], _ removes: Bool) -> [String] = { _, _ in [] }
    /// What of `Name = value` cannot be put into packets, and why.
    public var checkAttributes: @Sendable (_ lines: [String]) -> [String] = { _ in [] }

    public init() {}
}
