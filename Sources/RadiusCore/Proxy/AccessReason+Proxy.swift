/// The reasons of requests that other servers answer.
extension AccessReason {
    /// The stable name of a reason that begins with `proxy`.
    var proxyName: String {
        switch self {
        case .proxyAccepted: "proxy_accepted"
        case .proxyRejected: "proxy_rejected"
        case .proxyNoServer: "proxy_no_server"
        case .proxyTimeout: "proxy_timeout"
        case .proxyOverloaded: "proxy_overloaded"
        case .proxyLoop: "proxy_loop"
        case .proxyDeclined: "proxy_declined"
        default: "proxy_unusable"
        }
    }

    /// What happened, and where there is something to do, what to do, of a reason that begins with `proxy`.
    var proxySentence: String {
        switch self {
        case .proxyAccepted: "The realm's home server accepted."
        case .proxyRejected: "The realm's home server rejected; its own log says why."
        case .proxyNoServer: "No home server of the realm's pool is alive; see home-server list, and whether they answer Status-Server."
        case .proxyTimeout:
            "The home server did not answer in time, or no answer of it verified: compare secrets, and the dropped counters of home-server "
                + "status."
        case .proxyOverloaded: "As many requests wait for home servers as may wait."
        case .proxyLoop: "The request has been here before, or came through too many proxies: two servers forward the realm to each other."
        case .proxyDeclined: "The home server does not process the request (Protocol-Error); its own log says why."
        default:
            "A hidden value cannot be passed on (the NAS's or the home server's secret differs), or the packet grows too large."
        }
    }
}
