/// What came of a home server's request, as it is told.
public enum RelayOutcome: Hashable, Sendable {
    /// The NAS confirmed; what crosses of its attributes, encoded.
    case acknowledged(attributes: [UInt8])
    /// The NAS refused, with the cause that it gave.
    case refusedByNAS(ErrorCause?)
    /// The NAS answered nothing that verified.
    case unanswered
    /// There is no session that the home server may touch and that the request names.
    case notFound
    /// It is not taken to any NAS.
    case refused(ErrorCause)

    /// The answer to `request`, signed by `server`.
    func reply(to request: DynamicAuthorizationServer.Request, by server: DynamicAuthorizationServer) -> [UInt8] {
        switch self {
        case .acknowledged(let attributes): server.acknowledge(request, attributes: attributes)
        case .refusedByNAS(let cause): server.refuse(request, cause: cause)
        case .unanswered: server.refuse(request, cause: .otherProxyProcessingError)
        case .notFound: server.refuse(request, cause: .sessionContextNotFound)
        case .refused(let cause): server.refuse(request, cause: cause)
        }
    }

    var counter: HomeServerCounter {
        switch self {
        case .acknowledged: .coaACKs
        case .refusedByNAS: .coaNAKs
        case .unanswered: .coaTimeouts
        case .notFound: .coaNotFound
        case .refused: .coaRefused
        }
    }
}
