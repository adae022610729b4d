/// What comes of octets that a peer wrote into its tunnel.
enum EAPInsideStep: Equatable {
    /// To be written into the tunnel; the peer goes on.
    case answer([UInt8])
    /// To be written into the tunnel; all is proven once the peer has taken it without a word.
    case conclude([UInt8])
    case proven
    case refused(AccessReason)
    /// The peer has proven itself and may not be online, and knows it.
    case turnedAway(AccessReason)
    /// The inside goes on once an answer about the peer's certificate is there.
    case waiting(OCSPInquiry)
}

extension EAPSurroundings {
    /// What the records and fragments of a tunnel take of a packet, about.
    private static let tunnelOctets = 128

    /// Of a conversation inside a tunnel: other methods, no further tunnel, and nobody is told anything but by the conversation outside.
    ///
    /// - Parameters:
    ///   - methods: that may be proposed.
    ///   - resumes: whether EAP-TLS may take up a session there.
    /// - Returns: the surroundings of the conversation inside.
    func inside(methods: [EAPType], resumes: Bool = true) -> EAPSurroundings {
        var inside = self
        inside.methods = methods
        inside.notifiesRefused = false
        inside.tls?.tunnel = nil
        inside.tls?.resumes = resumes
        inside.tls?.packetOctets -= Self.tunnelOctets
        return inside
    }

    /// The surroundings of a method over TLS that has these versions: a method inside of it has them, too, whatever rules say by now.
    func keeping(_ versions: TLSSettings.Versions?) -> EAPSurroundings {
        var kept = self
        kept.tls?.versions = { versions }
        return kept
    }
}
