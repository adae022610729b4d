internal import CLinux
import Glibc

/// One request of a batch, between the stages of the packet path. Plain octets; pointers are good until the batch ends.
struct PacketWork: BitwiseCopyable {
    enum Kind: UInt8 {
        case access, accounting, status
        /// A request of dynamic authorization, which a server does not take.
        case unwanted
    }

    /// Whether the signature is right: what its digest tells, or what is known without one.
    enum Proof: UInt8 {
        case digest, right, wrong
        /// There is no signature.
        case absent
    }

    let datagram: UnsafePointer<lm_datagram>
    let packet: UnsafeMutablePointer<UInt8>
    let client: UnsafePointer<ClientRow>
    let attributes: RequestAttributes
    let kind: Kind
    let service: Service
    var proof = Proof.absent
    /// Which digest of its kind proves the signature.
    var digest = 0
    /// The 16 octets that stood where the digest wants zeros, and where.
    var saved: (UInt64, UInt64) = (0, 0)
    var savedOffset = 0
    /// First of the digests that hide User-Password.
    var pads = 0
    /// Of tenant and User-Name.
    var nameHash: UInt64 = 0
    var cacheHash: UInt64 = 0
}

/// A reply that stands in its slot, complete but for its signatures.
struct UnsignedReply: BitwiseCopyable {
    let reply: UnsafeMutablePointer<lm_datagram>
    let client: UnsafePointer<ClientRow>
    /// Offset of Message-Authenticator's value, or 0.
    let signatureOffset: Int
    /// Nothing is left to sign.
    var isSigned: Bool
    var disposition = Disposition.send
    var token = ReplyToken.none
    /// What it answers; nil until `PacketBatch.bind`.
    var request: UnsafePointer<UInt8>?
    var requestCount = 0
    var note = FlightNote()
}

/// An accounting record on its way into the journal.
struct UnjournalledRecord: BitwiseCopyable {
    let entry: JournalEntry
    let packet: UnsafePointer<UInt8>
    let count: Int
    /// Its response, among the replies of the batch.
    let reply: Int
    /// What the journal gave it; 0 when it was refused.
    var sequence: UInt64 = 0
}

/// The memory of one batch on its way through the packet path, allocated once. One thread.
///
/// Digests are gathered as jobs, so that those of all packets are computed side by side.
struct PacketBatch: ~Copyable {
    static let capacity = Int(LM_BATCH)
    /// A User-Password has at most 128 octets, in steps of 16.
    private static let padLimit = 8

    let works: UnsafeMutablePointer<PacketWork>
    var count = 0
    let replies: UnsafeMutablePointer<UnsignedReply>
    var replyCount = 0
    let records: UnsafeMutablePointer<UnjournalledRecord>
    var recordCount = 0
    /// Digests that need nothing but the packet: signatures' inner ones, Request Authenticators, pads.
    let jobs: UnsafeMutablePointer<lm_md5_job>
    private(set) var jobCount = 0
    /// The outer digests of HMACs.
    let outers: UnsafeMutablePointer<lm_md5_job>
    private(set) var outerCount = 0
    /// `RequestAttributes.capacity` places for each packet.
    let offsets: UnsafeMutablePointer<UInt16>
    private let padOctets: UnsafeMutablePointer<UInt8>
    private var padCount = 0
    /// A block for each outer digest, whose last 48 octets never change.
    private let outerBlocks: UnsafeMutablePointer<UInt8>
    /// A password in clear, while it is compared.
    let clear: UnsafeMutablePointer<UInt8>
    /// What the MS-CHAP proof that was checked last has computed.
    let hashes: UnsafeMutablePointer<MSCHAPHashes>

    init() {
        works = .allocate(capacity: Self.capacity)
        replies = .allocate(capacity: Self.capacity)
        records = .allocate(capacity: Self.capacity)
        jobs = .allocate(capacity: Self.capacity * (Self.padLimit + 1))
        outers = .allocate(capacity: Self.capacity)
        offsets = .allocate(capacity: Self.capacity * RequestAttributes.capacity)
        offsets.initialize(repeating: 0, count: Self.capacity * RequestAttributes.capacity)
        padOctets = .allocate(capacity: Self.capacity * Self.padLimit * SecretRow.padCapacity)
        outerBlocks = .allocate(capacity: Self.capacity * 64)
        clear = .allocate(capacity: UserPassword.maximumCount)
        hashes = .allocate(capacity: 1)
        hashes.initialize(to: MSCHAPHashes())
        for position in 0..<Self.capacity { _ = lm_md5_end(outerBlocks + position * 64 + 16, 16, 64 + 16) }
    }

    deinit {
        works.deallocate()
        replies.deallocate()
        records.deallocate()
        jobs.deallocate()
        outers.deallocate()
        offsets.deallocate()
        padOctets.deallocate()
        outerBlocks.deallocate()
        clear.deallocate()
        hashes.deallocate()
    }

    /// Begins anew.
    mutating func removeAll() {
        count = 0
        replyCount = 0
        recordCount = 0
        removeJobs()
        padCount = 0
    }

    mutating func removeJobs() {
        jobCount = 0
        outerCount = 0
    }

    /// Adds a digest; at most nine for each packet of a full batch.
    mutating func add(_ job: lm_md5_job) -> Int {
        precondition(jobCount < Self.capacity * (Self.padLimit + 1))
        jobs[jobCount] = job
        jobCount &+= 1
        return jobCount &- 1
    }

    /// Adds the digests that hide `password`, 16...128 octets in steps of 16 (RFC 2865 §5.2): none depends on another, for each
    /// takes in what stands in the packet.
    mutating func addPads(_ packet: UnsafePointer<UInt8>, password: Range<Int>, _ key: SecretRow) -> Int {
        let first = jobCount
        var seed = packet + 4
        for block in 0..<password.count / 16 {
            precondition(padCount < Self.capacity * Self.padLimit)
            let scratch = padOctets + padCount * SecretRow.padCapacity
            padCount &+= 1
            _ = add(key.padJob(seed, scratch))
            seed = packet + password.lowerBound + block * 16
        }
        return first
    }

    /// Adds the inner digest of a Message-Authenticator over `packet`, in which its value is zeros already. What stands behind the
    /// packet is overwritten.
    mutating func addInner(_ packet: UnsafeMutablePointer<UInt8>, count: Int, _ key: SecretRow) -> Int {
        let tail = lm_md5_end(packet + count, UInt32(truncatingIfNeeded: count & 63), UInt64(truncatingIfNeeded: count &+ 64))
        return add(lm_md5_job(key.inner, packet, count &>> 6 &+ Int(tail)))
    }

    /// Adds the digest of `packet` and the secret, which is put behind it (RFC 2865 §3, RFC 2866 §3).
    mutating func addWhole(_ packet: UnsafeMutablePointer<UInt8>, count: Int, _ key: SecretRow) -> Int {
        memcpy(packet + count, key.octets, key.count)
        let total = count &+ key.count
        let tail = lm_md5_end(packet + total, UInt32(truncatingIfNeeded: total & 63), UInt64(truncatingIfNeeded: total))
        return add(lm_md5_job(.beginning, packet, total &>> 6 &+ Int(tail)))
    }

    /// Computes what was added.
    func digest() { lm_md5_many(jobs, UInt32(truncatingIfNeeded: jobCount)) }

    /// Adds the outer digest of an HMAC whose inner one is the job `inner`, computed.
    mutating func addOuter(_ inner: Int, _ key: SecretRow) -> Int {
        precondition(outerCount < Self.capacity)
        let block = outerBlocks + outerCount &* 64
        jobs[inner].store(to: block)
        outers[outerCount] = lm_md5_job(key.outer, block, 1)
        outerCount &+= 1
        return outerCount &- 1
    }

    func digestOuters() { lm_md5_many(outers, UInt32(truncatingIfNeeded: outerCount)) }

    /// Takes 16 octets out of the work's packet and leaves zeros.
    func save(_ work: Int, at offset: Int) {
        let place = UnsafeMutableRawPointer(works[work].packet + offset)
        works[work].savedOffset = offset
        works[work].saved = (place.loadUnaligned(as: UInt64.self), place.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        place.storeBytes(of: 0, as: UInt64.self)
        place.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
    }

    /// Puts them back.
    func restore(_ work: Int) {
        let place = UnsafeMutableRawPointer(works[work].packet + works[work].savedOffset)
        place.storeBytes(of: works[work].saved.0, as: UInt64.self)
        place.storeBytes(of: works[work].saved.1, toByteOffset: 8, as: UInt64.self)
    }
}
