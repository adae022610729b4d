/// Which version of RADIUS is spoken with the server, and its replies as RADIUS/1.0 has them (RFC 9765).
extension StreamClient {
    /// Takes up the version of RADIUS that the server chose, or ends; that is then told to the server (RFC 9765 §3.3.1).
    func agree(_ tls: TLSConversation) {
        guard let negotiation else {
            (status, version) = (.open, .v10)
            return
        }
        do throws(RadiusNegotiation.Fault) {
            let agreed = try negotiation.agreed(tls.applicationProtocol, over: tls.protocolVersion)
            if agreed == .v11 { tokens = ClientTokens(secret: negotiation.secret) }
            (status, version) = (.open, agreed)
        } catch {
            tls.write(TokenPacket.versionDemanded)
            tls.close()
            sendLast(tls)
            end(.version(error))
        }
    }

    /// A reply as RADIUS/1.0 has it; nil when it is dropped.
    func translated(_ packet: [UInt8]) -> [UInt8]? {
        guard tokens != nil, let negotiation else { return packet }
        do throws(ClientTokens.Refusal) {
            return try tokens?.reply(packet.span, negotiation.dictionary)
        } catch {
            switch error {
            case .unmatched: losses.unmatched += 1
            case .malformed: losses.malformed += 1
            case .tooLong(let identifier): losses.tooLong.append(identifier)
            }
            return nil
        }
    }
}
