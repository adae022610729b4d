/// MD5-Challenge (RFC 3748 §5.4): CHAP inside EAP. Proves the peer only, and leaves no keys.
struct EAPMD5 {
    let identifier: UInt8
    let challenge: Digest16

    /// Value-Size and value; the name that may follow says nothing to a peer.
    var request: [UInt8] { [16] + challenge.indices.map { challenge[$0] } }

    func receive(_ data: [UInt8], from peer: EAPPeer) -> EAPStep {
        guard data.count >= 17, data[0] == 16 else { return .invalid }
        guard let account = peer.account else { return .refused(.unknownSubscriber) }
        switch account.credential {
        case .none: return .refused(.noPasswordSet)
        case .ntHash, .hash: return .refused(.methodNeedsClearText)
        case .clearText(let password):
            let response = [identifier] + data[1..<17]
            do {
                let matches = try CHAP.verify(response: response.span, challenge: challenge.span, password: password.span)
                return matches ? .proven(nil) : .refused(.wrongPassword)
            } catch {
                return .invalid
            }
        }
    }
}
