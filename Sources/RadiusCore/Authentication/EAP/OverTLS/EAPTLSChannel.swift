/// TLS in the packets of one EAP method: fragments in front, a conversation behind them, which is made when the peer has said something.
struct EAPTLSChannel: Sendable {
    enum Event {
        /// Fragments of either side go on; the method has nothing to say.
        case answer([UInt8])
        /// TLS has taken a message.
        case advanced(TLSConversation)
        /// The peer has all that was sent, and says nothing.
        case acknowledged
        case refused(AccessReason)
    }

    /// What libssl takes for a conversation that waits for the second flight of its peer (46 KB measured).
    static let conversationOctets = 48 * 1024
    /// Code, identifier, length and type.
    private static let headerCount = 5

    private let context: TLSContext
    private let resumes: Bool
    /// What a policy rule leaves of the context's.
    let versions: TLSSettings.Versions?
    private(set) var conversation: TLSConversation?
    private var fragments: EAPTLSFragments
    private var outer: EAPTEAPOuter?

    /// - Parameters:
    ///   - context: in force when the method begins.
    ///   - tls: of the step in which the method begins.
    ///   - outer: what TEAP has around TLS; nil for other methods, which are of version 0, as is EAP-TLS, which has none.
    init(_ context: TLSContext, _ tls: EAPTLSSurroundings, outer: EAPTEAPOuter? = nil) {
        (self.context, self.outer) = (context, outer)
        (resumes, versions) = (tls.resumes, tls.versions())
        fragments = EAPTLSFragments(
            fragmentLimit: tls.packetOctets - Self.headerCount, version: outer == nil ? 0 : EAPTEAPOuter.version)
    }

    /// The packet that begins the method.
    var start: [UInt8] { outer?.start ?? fragments.start }

    /// What both sides said outside the tunnel; empty for other methods than TEAP.
    var outerOctets: [UInt8] { outer?.octets ?? [] }

    var memoryOctets: Int { fragments.heldOctets + outerOctets.count + (conversation == nil ? 256 : Self.conversationOctets) }

    /// Takes what stands behind the type of a Response.
    mutating func receive(_ packet: [UInt8]) -> Event {
        guard let data = outer == nil ? packet : outer?.strip(packet) else { return .refused(.tlsMalformed) }
        do throws(EAPTLSFragmentError) {
            switch try fragments.receive(data.span) {
            case .fragment: return .answer(fragments.acknowledgement)
            case .acknowledgement: return fragments.nextFragment().map { .answer($0) } ?? .acknowledged
            case .start: return .refused(.tlsMalformed)
            case .message(let message): return advance(message)
            }
        } catch {
            return .refused(error == .tooLong ? .eapTooLong : .tlsMalformed)
        }
    }

    private mutating func advance(_ message: [UInt8]) -> Event {
        do throws(TLSFailure) {
            let conversation = try begun()
            conversation.receive(message.span)
            return .advanced(conversation)
        } catch {
            return .refused(AccessReason(error))
        }
    }

    private mutating func begun() throws(TLSFailure) -> TLSConversation {
        if let conversation { return conversation }
        let begun = try TLSConversation(context, resumes: resumes, versions: versions)
        conversation = begun
        return begun
    }

    /// The first packet of what TLS wants to send, or an empty one.
    mutating func flush() -> [UInt8] { fragments.send(conversation?.takeOutput() ?? []) }
}
