import Glibc

/// What the journal keeps of a packet beside its bytes: when it came, from whom, and whose it is.
public struct JournalEntry: BitwiseCopyable, Sendable {
    /// Kinds of `kind`.
    public static let accountingRequest: UInt8 = 1

    /// Wall clock at arrival, microseconds since 1970.
    public var receivedMicroseconds: Int64
    /// `tenancy.tenant.id`; never 0.
    public var tenant: Int64
    /// `aaa.nas.id` of the client that the packet was verified against.
    public var nas: Int64
    /// `aaa.subscriber.id`; 0 when the snapshot did not know the user name.
    public var subscriber: Int64
    /// `aaa.profile.id` that the snapshot has for the subscriber; 0 for none, and where it is not known.
    public var profile: Int64
    /// Source address; IPv4 stands as ::ffff:a.b.c.d.
    public var peer: InlineArray<16, UInt8>
    /// What the packet is; `accountingRequest` is the only kind so far.
    public var kind: UInt8

    public init(
        receivedMicroseconds: Int64, tenant: Int64, nas: Int64, subscriber: Int64, profile: Int64 = 0,
        peer: InlineArray<16, UInt8>, kind: UInt8 = JournalEntry.accountingRequest
    ) {
        self.receivedMicroseconds = receivedMicroseconds
        self.tenant = tenant
        self.nas = nas
        self.subscriber = subscriber
        self.profile = profile
        self.peer = peer
        self.kind = kind
    }
}

/// Whether the journal takes records.
public enum JournalState: Equatable, Sendable {
    case healthy
    /// The disk refuses (`ENOSPC`, `EIO`, ...); records are refused until a retry succeeds.
    case refusing(errno: Int32)
    case closed

    /// One line for logs and health pages.
    public var text: String {
        switch self {
        case .healthy: "healthy"
        case .refusing(let code):
            "refusing: \(String(cString: strerror(code))) (errno \(code)); free space or mend the disk, no restart is needed"
        case .closed: "closed"
        }
    }
}

/// Why a journal could not be opened.
public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process holds the directory.
    case locked(directory: String)
    /// `segmentBytes` is outside 64 KiB...1 GiB.
    case segmentBytes(Int)
    /// The system refused `operation` on `path`.
    case system(operation: String, path: String, errno: Int32)

    public var description: String {
        switch self {
        case .locked(let directory):
            "journal directory \(directory) is in use by another process; stop it, or give this daemon its own state.dir"
        case .segmentBytes(let count):
            "journal segments of \(count) bytes are not possible; choose 65536 to 1073741824"
        case .system(let operation, let path, let code):
            "journal: cannot \(operation) \(path): \(String(cString: strerror(code)))"
        }
    }
}

/// Counts since the journal was opened, and its present size.
public struct JournalStatistics: Equatable, Sendable {
    /// Records made durable, and their octets on disk.
    public var records: UInt64 = 0
    public var octets: UInt64 = 0
    /// Batches made durable, and the time that `fdatasync` took for them.
    public var commits: UInt64 = 0
    public var syncNanoseconds: UInt64 = 0
    /// Records accepted and not yet durable.
    public var pending: UInt64 = 0
    /// Octets of those that no write has taken yet; at `Journal.pendingOctets` records are refused.
    public var pendingOctets: UInt64 = 0
    /// Appends that were refused.
    public var refused: UInt64 = 0
    /// Writes or syncs that failed and were tried again.
    public var failures: UInt64 = 0
    /// Octets cut from torn ends when the journal was opened.
    public var tornOctets: UInt64 = 0
    public var torn: UInt64 = 0
    /// Segment files, and the first sequence number that the oldest of them may hold.
    public var segments: UInt64 = 0
    public var oldestSequence: UInt64 = 0
}
