/// What carries RADIUS besides UDP.
public enum StreamTransport: Int, Sendable, CaseIterable, BitwiseCopyable {
    /// RADIUS/TCP (RFC 6613): in clear, with each client's own secret.
    case tcp
    /// RADIUS/TLS, RadSec (RFC 6614).
    case tls
    /// RADIUS/DTLS (RFC 7360): each peer of a UDP port is a connection.
    case dtls

    /// The name in metrics and logs.
    public var name: String {
        switch self {
        case .tcp: "tcp"
        case .tls: "tls"
        case .dtls: "dtls"
        }
    }

    /// TLS proves who speaks.
    var isProtected: Bool { self != .tcp }
}

/// Bounds of connections of TCP, TLS and DTLS.
public struct StreamSettings: Sendable {
    /// Connections at one moment, those in their handshake included.
    public var connections = 4096
    /// Of them, one client's.
    public var connectionsPerClient = 256
    /// TLS handshakes at one moment; beyond it the oldest gives way. One client may have a quarter.
    public var handshakes = 512
    /// A handshake's seconds from the first octet of TCP, or the cookie that came back, to the last of TLS.
    public var handshakeSeconds = 10
    /// Seconds from a packet's first octet to its last.
    public var packetSeconds = 10
    /// A connection that brings no packet for so long is closed.
    public var idleSeconds = 600
    /// Seconds in which a peer takes none of the octets that wait for it.
    public var stallSeconds = 30
    /// Threads that serve connections, 1...64.
    public var threads = 1
    /// How long the NAS's answers to requests of ours are waited for.
    var reverse = ReverseTiming()

    public init() {}

    /// Octets that may wait for a peer before nothing more is read from it.
    static let outputPause = 65_536
    /// Octets at which reading goes on.
    static let outputResume = 16_384
    /// Octets that end the connection: replies that were on their way when reading stopped.
    static let outputLimit = 1_048_576
    /// Octets that one connection may bring in one turn.
    static let turnOctets = 16_384
    /// The kernel's buffers for one connection, each way.
    static let kernelOctets: Int32 = 131_072
    /// Time for handshakes in one turn of a thread that has other work, too.
    static let handshakeNanoseconds: UInt64 = 2_000_000
    /// A handshake of so many seconds gives way to a new one of its client, which has its quarter.
    static let stuckSeconds: UInt32 = 2
    /// Connections accepted in one turn.
    static let accepts = 16
    /// The kernel's buffer for what comes to a port of DTLS.
    static let datagramBufferOctets: Int32 = 4 << 20
}
