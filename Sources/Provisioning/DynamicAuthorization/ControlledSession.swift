import Database
public import RadiusCore

/// A live session as far as its NAS must be told about it.
public struct ControlledSession: Sendable {
    public let id: Int64
    public let nasID: Int64
    public let subscriberID: Int64?
    /// The profile that the session began with.
    public let profileID: Int64?
    /// The realm that a policy rule chose for it; nil: its User-Name says whose it is.
    let forwardedRealmID: Int64?
    public let userName: String
    public let vendor: NASVendor
    public let identity: SessionIdentity
    /// Octets that it has moved, as far as its NAS has accounted for them.
    public let used: (upload: UInt64, download: UInt64)
    /// Where the NAS takes requests: its CoA address, else the one host that it is known by, else where its accounting comes from.
    let address: IPAddress?
    /// nil: as the configuration says.
    let port: UInt16?
    let sealedSecret: [UInt8]?
    let sendsMessageAuthenticator: Bool
    /// The NAS takes requests over the connections that it opens to us, and at no port.
    let usesConnection: Bool
    /// The record of the NAS stands for a network, of which each host has connections of its own.
    let isOfNetwork: Bool
    /// Where its accounting comes from.
    let source: IPAddress?

    init(_ row: Row) throws {
        id = try row.int64("id")
        nasID = try row.int64("nas_id")
        subscriberID = try row.optionalInt64("subscriber_id")
        profileID = try row.optionalInt64("profile_id")
        forwardedRealmID = try row.optionalInt64("forwarded_realm_id")
        userName = try row.string("username")
        vendor = NASVendor(name: try row.optionalString("vendor") ?? "") ?? .generic
        let framed = try row.optionalString("framed_ipv4").flatMap { IPAddress(text: $0) }
        let ownIdentifier = try row.optionalString("own_identifier")
        var identity = SessionIdentity(
            userName: userName, acctSessionID: try row.string("acct_session_id"),
            callingStationID: try row.optionalString("calling_station_id"), nasPortID: try row.optionalString("nas_port_id"),
            nasIdentifier: try ownIdentifier ?? row.optionalString("nas_identifier"),
            nasAddress: try row.optionalString("nas_address").flatMap { IPAddress(text: $0) }, framedIPv4: framed?.ipv4)
        identity.sharesAddress = ownIdentifier != nil
        identity.operatorNAS = try row.optionalBytes("operator_nas_identifier")
        self.identity = identity
        used = (UInt64(clamping: try row.int64("upload_octets")), UInt64(clamping: try row.int64("download_octets")))
        address = try row.optionalString("peer_address").flatMap { IPAddress(text: $0) }
        port = try row.optionalInt64("coa_port").map { UInt16(clamping: $0) }
        sealedSecret = try row.optionalBytes("secret")
        sendsMessageAuthenticator = try row.optionalBool("send_message_authenticator") ?? true
        usesConnection = try row.optionalString("coa_over") == "connection"
        isOfNetwork = try row.optionalBool("is_of_network") ?? false
        source = try row.optionalString("source").flatMap { IPAddress(text: $0) }
    }

    /// Names the session at its NAS as the vendor wants it, with `change` for a CoA-Request.
    func request(_ kind: CoARequest.Kind, change: [UInt8]) throws(CoARequestError) -> CoARequest {
        try CoARequest(kind, of: identity, at: vendor, change: change)
    }
}

/// Why a request could not even be tried; each is stored as `refused` with these words.
enum SessionControlRefusal: Error {
    case nasDeleted
    case addressUnknown
    /// This process serves no NAS.
    case hasNoConnections
    case sourceUnknown
    case secretClosed(String)
    case request(CoARequestError)

    var message: String {
        switch self {
        case .nasDeleted: "The NAS of this session was deleted: nobody can be told."
        case .addressUnknown:
            "It is not known where this NAS takes CoA requests: it is configured as a network. Set coa_address of the NAS."
        case .hasNoConnections:
            "The NAS takes CoA over its own connection, and this process has none of any NAS: it takes no RADIUS over TLS. "
                + "Ask a node that has both roles, aaa and admin, and to which the NAS is connected."
        case .sourceUnknown:
            "The NAS takes CoA over its own connection and is configured as a network, and no accounting says from where this session came."
        case .secretClosed(let reason): "The shared secret of the NAS cannot be read: \(reason)."
        case .request(let error): error.message
        }
    }
}
