import CLinux
import Glibc
import Synchronization

/// How one Access-Request was answered.
public struct AuthEvent: BitwiseCopyable, Sendable, Equatable {
    public enum Outcome: UInt8, BitwiseCopyable, Sendable {
        case accept = 1, reject = 2, challenge = 3
        /// No home server answered, so the NAS heard nothing that answers it.
        case silence = 4
    }

    /// Wall clock at the reply, microseconds since 1970.
    public var atMicroseconds: Int64
    public var tenant: Int64
    public var nas: Int64
    /// 0 = unknown, as is `profile`.
    public var subscriber: Int64
    public var profile: Int64
    /// From the request's arrival to the reply.
    public var durationMicroseconds: Int64
    public var outcome: Outcome
    /// Named by the tables that the log's shipper was given.
    public var method: UInt8
    public var reason: UInt16
    public var binding = BindingNote()
    /// The home server that was asked; 0: none was.
    public var homeServer: Int64

    public init(
        atMicroseconds: Int64, tenant: Int64, nas: Int64, subscriber: Int64, profile: Int64, durationMicroseconds: Int64 = 0,
        outcome: Outcome, method: UInt8, reason: UInt16, homeServer: Int64 = 0
    ) {
        self.atMicroseconds = atMicroseconds
        self.tenant = tenant
        self.nas = nas
        self.subscriber = subscriber
        self.profile = profile
        self.durationMicroseconds = durationMicroseconds
        self.outcome = outcome
        self.method = method
        self.reason = reason
        self.homeServer = homeServer
    }
}

/// A bounded ring of octets from one worker to the log's shipper. Neither side ever waits; what does not fit is dropped and counted.
///
/// `@unchecked Sendable`: one thread pushes and one drains; `head` and `tail` hand the octets over.
public final class AuthEventRing: @unchecked Sendable {
    /// Longest attribute value, and so the longest text that is kept.
    static let longestText = 253
    private static let headerCount = MemoryLayout<AuthEvent>.size + textCount
    private static let textCount = 5

    private let octets: UnsafeMutableRawPointer
    private let mask: Int
    private let wakeFD = Atomic<Int32>(-1)
    /// Octets ever pushed and ever drained.
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)
    private let droppedCount = Atomic<UInt64>(0)

    /// - Parameter capacity: octets, rounded up to a power of two; at least 4096. An event takes about 150.
    public init(capacity: Int = 1 << 20) {
        var size = 4096
        while size < capacity { size *= 2 }
        octets = .allocate(byteCount: size, alignment: 16)
        mask = size - 1
    }

    deinit { octets.deallocate() }

    /// Has `wake` signalled whenever the ring becomes half full. It must live until the call with nil, or as long as the ring.
    public func setWake(_ wake: WakeSignal?) {
        wakeFD.store(wake?.eventFD ?? -1, ordering: .relaxed)
    }

    /// Events that did not fit. Any thread.
    public var dropped: UInt64 { droppedCount.load(ordering: .relaxed) }

    /// Octets of the events that were pushed and not yet drained. Any thread.
    public var waitingOctets: Int {
        let drained = tail.load(ordering: .acquiring)
        return head.load(ordering: .acquiring) - drained
    }

    /// Producer: copies an event in; texts are cut to 253 octets. Whether it fitted.
    @discardableResult
    public func push(
        _ event: AuthEvent, userName: Span<UInt8>, callingStation: Span<UInt8>, nasPortID: Span<UInt8>
    ) -> Bool {
        let none = Span<UInt8>()
        return push(event, userName: userName, callingStation: callingStation, nasPortID: nasPortID, circuitID: none, remoteID: none)
    }

    /// The same for whoever is bound to a line.
    @discardableResult
    public func push(
        _ event: AuthEvent, userName: Span<UInt8>, callingStation: Span<UInt8>, nasPortID: Span<UInt8>, circuitID: Span<UInt8>,
        remoteID: Span<UInt8>
    ) -> Bool {
        let counts = (Self.kept(userName), Self.kept(callingStation), Self.kept(nasPortID), Self.kept(circuitID), Self.kept(remoteID))
        let size = Self.headerCount + counts.0 + counts.1 + counts.2 + counts.3 + counts.4
        let start = head.load(ordering: .relaxed)
        let used = start - tail.load(ordering: .acquiring)
        guard size <= mask + 1 - used else {
            droppedCount.add(1, ordering: .relaxed)
            return false
        }
        var place = start
        withUnsafeBytes(of: event) { put($0, MemoryLayout<AuthEvent>.size, &place) }
        let lengths: InlineArray<5, UInt8> = [UInt8(counts.0), UInt8(counts.1), UInt8(counts.2), UInt8(counts.3), UInt8(counts.4)]
        lengths.span.withUnsafeBytes { put($0, Self.textCount, &place) }
        userName.withUnsafeBytes { put($0, counts.0, &place) }
        callingStation.withUnsafeBytes { put($0, counts.1, &place) }
        nasPortID.withUnsafeBytes { put($0, counts.2, &place) }
        if counts.3 | counts.4 != 0 {
            circuitID.withUnsafeBytes { put($0, counts.3, &place) }
            remoteID.withUnsafeBytes { put($0, counts.4, &place) }
        }
        head.store(place, ordering: .releasing)
        let half = (mask + 1) / 2
        if used < half, used + size >= half { signalHalf() }
        return true
    }

    private func signalHalf() {
        let descriptor = wakeFD.load(ordering: .relaxed)
        if descriptor >= 0 { lm_eventfd_signal(descriptor) }
    }

    /// An event as the consumer reads it.
    public struct Entry: Equatable, Sendable {
        public let event: AuthEvent
        public let userName: [UInt8]
        public let callingStation: [UInt8]
        public let nasPortID: [UInt8]
        public let circuitID: [UInt8]
        public let remoteID: [UInt8]
    }

    /// Consumer: takes up to `limit` events out.
    public func drain(limit: Int, _ body: (Entry) -> Void) -> Int {
        var place = tail.load(ordering: .relaxed)
        let end = head.load(ordering: .acquiring)
        var taken = 0
        while place < end, taken < limit {
            let event = withUnsafeTemporaryAllocation(of: AuthEvent.self, capacity: 1) { slot in
                get(UnsafeMutableRawBufferPointer(slot), MemoryLayout<AuthEvent>.size, &place)
                return slot[0]
            }
            let lengths = text(Self.textCount, &place)
            body(
                Entry(
                    event: event, userName: text(Int(lengths[0]), &place), callingStation: text(Int(lengths[1]), &place),
                    nasPortID: text(Int(lengths[2]), &place), circuitID: text(Int(lengths[3]), &place),
                    remoteID: text(Int(lengths[4]), &place)))
            taken += 1
            tail.store(place, ordering: .releasing)
        }
        return taken
    }

    private static func kept(_ text: Span<UInt8>) -> Int { min(text.count, longestText) }

    private func put(_ bytes: UnsafeRawBufferPointer, _ count: Int, _ place: inout Int) {
        guard count > 0, let base = bytes.baseAddress else { return }
        let offset = place & mask
        let first = min(count, mask + 1 - offset)
        memcpy(octets + offset, base, first)
        memcpy(octets, base + first, count - first)
        place += count
    }

    private func get(_ out: UnsafeMutableRawBufferPointer, _ count: Int, _ place: inout Int) {
        guard count > 0, let base = out.baseAddress else { return }
        let offset = place & mask
        let first = min(count, mask + 1 - offset)
        memcpy(base, octets + offset, first)
        memcpy(base + first, octets, count - first)
        place += count
    }

    private func text(_ count: Int, _ place: inout Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            get(UnsafeMutableRawBufferPointer(buffer), count, &place)
            filled = count
        }
    }
}
