import Synchronization

@testable import RadiusCore

/// Requests of ours over connections of NAS: what is asked, and how it ended.
final class ReverseDesk {
    private final class Ends: Sendable {
        let all = Mutex<[CoAOutcome]>([])
    }

    private let host: StreamHost
    private let ends = Ends()

    init(_ host: StreamHost) { self.host = host }

    var reverse: ReverseCoA { host.streams.reverse }
    /// How requests have ended so far, in the order of their ends.
    var outcomes: [CoAOutcome] { ends.all.withLock { $0 } }

    func ask(
        _ kind: CoARequest.Kind = .disconnect, over connection: ReverseCoA.Connection, session: String = "S-1"
    ) throws {
        let request = try CoARequest(kind, attributes: RelayDesk.session(session))
        reverse.send(request, over: connection) { [ends] outcome in ends.all.withLock { $0.append(outcome) } }
    }

    /// The request in a packet that the NAS received.
    static func request(_ packet: [UInt8], secret: SharedSecret = .ofTLS) throws -> DynamicAuthorizationServer.Request {
        try DynamicAuthorizationServer(secret: secret, requiresMessageAuthenticator: true).verify(packet.span, now: RelayDesk.now)
    }

    static func ack(_ request: DynamicAuthorizationServer.Request, secret: SharedSecret = .ofTLS) -> [UInt8] {
        DynamicAuthorizationServer(secret: secret).acknowledge(request)
    }

    static func nak(_ request: DynamicAuthorizationServer.Request, secret: SharedSecret = .ofTLS) -> [UInt8] {
        DynamicAuthorizationServer(secret: secret).refuse(request, cause: .sessionContextNotFound)
    }
}

extension CoAOutcome {
    var isACK: Bool { if case .ack = self { true } else { false } }
}
