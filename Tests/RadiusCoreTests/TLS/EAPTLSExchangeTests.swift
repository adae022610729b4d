import RadiusCore
import Support
import Testing

/// Handshakes in packets of EAP, as a method and a supplicant lead them.
@Suite struct EAPTLSExchangeTests {
    /// One side: a conversation behind fragments.
    private struct Side {
        let conversation: TLSConversation
        var fragments: EAPTLSFragments

        /// The packet that answers `packet`.
        mutating func answer(_ packet: [UInt8]) throws -> [UInt8] {
            switch try fragments.receive(packet.span) {
            case .fragment: return fragments.acknowledgement
            case .acknowledgement: return fragments.nextFragment() ?? fragments.acknowledgement
            case .start: conversation.start()
            case .message(let message): conversation.receive(message.span)
            }
            return fragments.send(conversation.takeOutput())
        }
    }

    /// Leads a handshake; gives the number of packets in both directions.
    private func lead(_ server: inout Side, _ peer: inout Side) throws -> Int {
        var packets = 1
        var request = server.fragments.start
        while packets < 1000 {
            let response = try peer.answer(request)
            request = try server.answer(response)
            packets += 2
            let isQuiet = server.conversation.state != .handshaking && !server.fragments.isSending && request.count == 1
            if isQuiet { return packets }
        }
        throw ProcessFailure("no end after \(packets) packets")
    }

    @Test(arguments: TLSSettings.Version.allCases, [64, 256, 1024, 65_000])
    func establishesInFragmentsOfAnySize(version: TLSSettings.Version, limit: Int) async throws {
        try await TestAuthority.withPair { authority in
            let context = try authority.server { $0.allow(only: version) }
            var server = Side(conversation: try TLSConversation(context), fragments: EAPTLSFragments(fragmentLimit: limit))
            var peer = Side(
                conversation: try TLSConversation(try authority.client()), fragments: EAPTLSFragments(fragmentLimit: limit / 2))
            let packets = try lead(&server, &peer)
            #expect(server.conversation.state == .established && peer.conversation.state == .established)
            #expect(server.conversation.eapKeys(type: 13) == peer.conversation.eapKeys(type: 13))
            // Start, two flights of each side, and the last acknowledgement, when everything fits one packet.
            if limit == 65_000 { #expect(packets <= 7) } else { #expect(packets > 7 || limit == 1024) }
        }
    }

    @Test func theAlertReachesThePeerInItsOwnPacket() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("late", usage: "clientAuth", validity: ["-days", "-1"])
            var server = Side(conversation: try TLSConversation(try authority.server()), fragments: EAPTLSFragments(fragmentLimit: 300))
            var peer = Side(conversation: try TLSConversation(try authority.client("late")), fragments: EAPTLSFragments(fragmentLimit: 300))
            _ = try lead(&server, &peer)
            #expect(server.conversation.state == .failed(.certificate(.expired, depth: 0)))
            #expect(peer.conversation.state == .failed(.alert(45)))
        }
    }
}
