import RadiusCore

/// Two conversations that talk to each other in this process.
struct TLSPair {
    let server: TLSConversation
    let client: TLSConversation
    /// Octets of each flight, the client's first.
    private(set) var flights: [Int] = []

    init(server: TLSConversation, client: TLSConversation) {
        self.server = server
        self.client = client
    }

    init(_ server: TLSContext, _ client: TLSContext, serverName: String? = nil, resuming session: TLSSession? = nil) throws {
        self.init(server: try TLSConversation(server), client: try TLSConversation(client, serverName: serverName, resuming: session))
    }

    /// Carries octets to and fro, `step` at a time, until both are silent.
    mutating func talk(step: Int = .max) {
        client.start()
        while server.outputCount > 0 || client.outputCount > 0 {
            flights.append(Self.carry(from: client, to: server, step: step))
            flights.append(Self.carry(from: server, to: client, step: step))
        }
    }

    private static func carry(from sender: TLSConversation, to receiver: TLSConversation, step: Int) -> Int {
        var count = 0
        while sender.outputCount > 0 {
            let octets = sender.takeOutput(limit: step)
            count += octets.count
            receiver.receive(octets.span)
        }
        return count
    }
}
