import CLinux
import Glibc
import Synchronization

/// The EAP conversations of a server and the threads that work on them. Shared by all workers, so that a conversation goes on wherever its
/// next packet arrives.
public final class EAPService: Sendable {
    /// How EAP is spoken, and what it may cost.
    public struct Settings: Sendable {
        /// The methods that may be used, in the order in which they are proposed.
        public var methods = EAPType.served
        /// What the server calls itself towards a peer.
        public var serverName = "lastmile"
        /// Whether a peer that is turned away, although MD5-Challenge has proven it, is told why, by an EAP Notification.
        public var notifiesRefused = false
        /// Conversations at one moment.
        public var conversations = 16_384
        /// Memory of all conversations.
        public var memoryOctets = 128 << 20
        /// Octets that a peer may send in one conversation.
        public var conversationOctets = 65_536
        /// A conversation's seconds from beginning to end.
        public var conversationSeconds = 120
        /// Session-Timeout of an Access-Challenge: how long a NAS waits for its peer.
        public var responseSeconds = 30
        public var threads = 1
        /// EAP packets that may wait for a thread; half of it for one client.
        public var queue = 4096
        /// An EAP packet that waited longer is dropped.
        public var deadlineMilliseconds = 5000
        /// Octets of an EAP packet over TLS at most; a NAS's Framed-MTU makes it less.
        public var packetOctets = 1024
        /// Which names of a device's certificate may be a subscriber's, the first the most likely.
        public var certificateNames = EAPCertificateName.allCases
        /// What a device may do in a tunnel of TTLS.
        public var ttlsMethods = EAPInnerMethod.allCases
        /// Methods in a tunnel of PEAP, in the order in which they are proposed.
        public var peapMethods: [EAPType] = [.msCHAPv2, .gtc, .tls]
        public var peapBinding = EAPCryptoBinding.yes
        public var teap = EAPTEAPSettings()
        /// The name of the network in EAP-AKA' (3GPP TS 24.302 §8.1.1).
        public var akaPrimeNetwork = "WLAN"
        /// The name of this node.
        public var node = "lastmile"

        public init() {}
    }

    /// What happened to conversations.
    public struct Statistics: Sendable, Equatable {
        /// Going on at this moment, or ended a moment ago.
        public var conversations = 0
        /// Memory that they take.
        public var memoryOctets = 0
        public var begun: UInt64 = 0
        public var expired: UInt64 = 0
        /// Gave way to others before the peer had answered a method, and after.
        public var displacedBegun: UInt64 = 0
        public var displacedAnswered: UInt64 = 0
    }

    public let settings: Settings
    /// What methods over TLS show and trust; nil when there are to be none.
    public let certificates: EAPCertificates?
    private let conversations: EAPConversations
    let checks: SlowChecks

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - settings: how EAP is spoken.
    ///   - store: where the snapshot in force stands.
    ///   - certificates: for methods over TLS; without, they are not proposed.
    public convenience init(_ settings: Settings, store: SnapshotStore, certificates: EAPCertificates? = nil) {
        self.init(settings, store: store, certificates: certificates, clock: lm_monotonic_nanoseconds)
    }

    /// The same with another clock, and with `answer` in place of the conversations where it is given.
    init(
        _ settings: Settings, store: SnapshotStore, certificates: EAPCertificates? = nil, clock: @escaping @Sendable () -> UInt64,
        answer: (@Sendable (EAPArrival) -> EAPOutcome)? = nil
    ) {
        self.settings = settings
        self.certificates = certificates
        let conversations = EAPConversations(settings, store: store, certificates: certificates, clock: clock)
        self.conversations = conversations
        checks = SlowChecks(
            .init(threads: settings.threads, queue: settings.queue, deadlineMilliseconds: settings.deadlineMilliseconds), name: "eap",
            clock: clock
        ) { request in
            switch request.work {
            case .eap(let arrival): .eap(answer?(arrival) ?? conversations.answer(arrival, of: request))
            case .password, .proxied: .password(.differs)
            }
        }
    }

    /// What the threads do and did.
    public var queue: SlowChecks.Statistics { checks.statistics }

    public var statistics: Statistics { conversations.statistics }

    /// What is offered now.
    public var offer: EAPOffer {
        let contexts = certificates?.contexts
        return EAPOffer(
            settings: settings, hasTunnel: contexts?.tunnel != nil, asksForCertificate: contexts?.certificate != nil,
            versions: certificates?.versions ?? TLSSettings.Version.tls12...TLSSettings.Version.tls13)
    }

    /// Ends the threads once they finished what they do.
    public func shutdown() {
        checks.shutdown()
        certificates?.status?.shutdown()
    }
}
