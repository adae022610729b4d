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
    private(set) var conversation: TLSConversation?
    private var fragments: EAPTLSFragments

    /// - Parameters:
    ///   - context: in force when the method begins.
    ///   - packetOctets: of an EAP packet at most.
    init(_ context: TLSContext, packetOctets: Int) {
        self.context = context
        fragments = EAPTLSFragments(fragmentLimit: packetOctets - Self.headerCount)
    }

    /// The packet that begins the method; TTLS and PEAP are of version 0, as is EAP-TLS, which has none.
    var start: [UInt8] { fragments.start }

    var memoryOctets: Int { fragments.heldOctets + (conversation == nil ? 256 : Self.conversationOctets) }

    /// Takes what stands behind the type of a Response.
    mutating func receive(_ data: [UInt8]) -> Event {
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
            return .refused(.tlsBroken)
        }
    }

    private mutating func begun() throws(TLSFailure) -> TLSConversation {
        if let conversation { return conversation }
        let begun = try TLSConversation(context)
        conversation = begun
        return begun
    }

    /// The first packet of what TLS wants to send, or an empty one.
    mutating func flush() -> [UInt8] { fragments.send(conversation?.takeOutput() ?? []) }
}
