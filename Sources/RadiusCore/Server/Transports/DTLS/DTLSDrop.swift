internal import Synchronization

/// Why a datagram that came to a port of DTLS did nothing.
public enum DTLSDrop: Int, CaseIterable, Sendable {
    /// No NAS has its address.
    case unknownClient
    /// Longer than any that RADIUS over DTLS needs.
    case tooLong
    /// There are no certificates yet, or the daemon is about to end.
    case notServing
    /// A ClientHello that is none.
    case malformedHello
    /// A ClientHello that came before.
    case repeatedHello
    /// More handshakes wait than can be gone on with.
    case handshakesFull
    /// Its peer has neither a session nor a handshake here.
    case noSession
    /// Nothing came of it for the session of its peer: damaged, repeated, or of another session.
    case noRecord

    /// The word in metrics.
    public var word: String {
        switch self {
        case .unknownClient: "unknown_client"
        case .tooLong: "too_long"
        case .notServing: "not_serving"
        case .malformedHello: "malformed_hello"
        case .repeatedHello: "repeated_hello"
        case .handshakesFull: "handshakes_full"
        case .noSession: "no_session"
        case .noRecord: "no_record"
        }
    }
}

/// Datagrams for which nothing was kept: counted without a lock and without memory, since a flood may bring nothing else.
final class DTLSCounts: @unchecked Sendable {
    // Guard: each cell is an atomic; the memory lives as long as the object.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private static let count = DTLSDrop.allCases.count
    private let asked = Atomic<UInt64>(0)

    init() {
        cells = .allocate(capacity: Self.count)
        for cell in 0..<Self.count { (cells + cell).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.count)
        cells.deallocate()
    }

    func add(_ drop: DTLSDrop) { cells[drop.rawValue].add(1, ordering: .relaxed) }

    /// A peer was asked for its cookie.
    func addAsked() { asked.add(1, ordering: .relaxed) }

    subscript(drop: DTLSDrop) -> UInt64 { cells[drop.rawValue].load(ordering: .relaxed) }

    /// HelloVerifyRequests that were sent.
    var helloVerifyRequests: UInt64 { asked.load(ordering: .relaxed) }
}
