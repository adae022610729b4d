/// Generic Token Card (RFC 3748 §5.6): the peer sends its password in clear. Works with every stored credential; no keys.
struct EAPGTC {
    /// What the peer shows to its user.
    static let request = Array("Password: ".utf8)

    func receive(_ data: [UInt8], from peer: EAPPeer) -> EAPStep {
        guard let account = peer.account else { return .refused(.unknownSubscriber) }
        switch account.check(password: data.span) {
        case .matches: return .proven(nil)
        case .refused(let reason): return .refused(reason)
        }
    }
}
