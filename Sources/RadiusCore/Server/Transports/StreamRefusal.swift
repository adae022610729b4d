/// Why a connection was not taken, or ended by us.
enum StreamRefusal: Error, Equatable {
    case unknownClient
    case tooManyConnections
    case tooManyOfClient
    case tooManyHandshakes
    /// Gave way to a newer handshake.
    case displaced
    case handshakeTimeout
    case tls(TLSFailure)
    /// What the certificate names.
    case identityMismatch(String)
    /// The peer agrees to no version of RADIUS, and 1.1 is demanded.
    case versionMissing
    /// The client was removed or changed.
    case clientChanged
    case badLength(Int)
    case badPacket(DecodeError)
    case packetTimeout
    /// The peer takes no replies.
    case notReading
    case noDescriptors

    /// The word in metrics and logs.
    var word: String {
        switch self {
        case .unknownClient: "unknown_client"
        case .tooManyConnections: "too_many_connections"
        case .tooManyOfClient: "too_many_of_client"
        case .tooManyHandshakes: "too_many_handshakes"
        case .displaced: "handshake_displaced"
        case .handshakeTimeout: "handshake_timeout"
        case .tls(let failure): failure.word
        case .identityMismatch: "certificate_wrong_identity"
        case .versionMissing: "version_missing"
        case .clientChanged: "client_changed"
        case .badLength: "bad_length"
        case .badPacket: "bad_packet"
        case .packetTimeout: "packet_timeout"
        case .notReading: "not_reading"
        case .noDescriptors: "no_descriptors"
        }
    }

    /// A sentence without its full stop: what is wrong, and what to do.
    var sentence: String {
        switch self {
        case .unknownClient: "no NAS has this address; add it with `lastmile nas create --address ...` if it is yours"
        case .tooManyConnections: "there are as many connections as radsec.connections allows"
        case .tooManyOfClient: "the NAS has as many connections as radsec.connections_per_client allows"
        case .tooManyHandshakes: "the NAS has a quarter of radsec.handshakes under way already"
        case .displaced: "more handshakes were begun than radsec.handshakes allows, or a quarter of it by this NAS, and this was the oldest"
        case .handshakeTimeout: "no TLS handshake within radsec.handshake_seconds; is the peer set to TLS, and not to plain RADIUS?"
        case .tls(let failure): failure.description
        case .identityMismatch(let names):
            "the certificate or key names \(names), which is not what tls_identity of the NAS says; mend that, or give the peer another certificate"
        case .versionMissing:
            "the peer does not say which versions of RADIUS it speaks (ALPN), so it speaks 1.0; radsec.versions demands 1.1"
        case .clientChanged: "the NAS was removed, or its address or tls_identity changed"
        case .badLength(let length): "a packet of \(length) octets, where 20 to 4096 are possible: what the peer sends is not RADIUS"
        case .badPacket(let reason): Self.sentence(of: reason)
        case .packetTimeout: "a packet was begun and not ended within radsec.packet_seconds"
        case .notReading: "the peer does not read its replies"
        case .noDescriptors: "the system allows this process no more open files; raise LimitNOFILE (ulimit -n)"
        }
    }

    private static func sentence(of reason: DecodeError) -> String {
        switch reason {
        case .messageAuthenticatorInvalid, .requestAuthenticatorInvalid:
            "a packet's authenticator is wrong: the peer has another shared secret (over TLS it must be radsec, over DTLS radius/dtls)"
        case .tokenReused: "the peer used a Token of RADIUS/1.1 for two packets: it does not count them as RFC 9765 says"
        default: "a packet is malformed (\(reason))"
        }
    }
}

/// Why a connection ended without anybody's fault.
enum StreamEnd: String, CaseIterable {
    case peer, idle, error, stopping
    /// The same peer began anew, or has shaken hands anew.
    case renewed
}
