/// When an accounting event happened, from clocks of which none is to be believed alone.
public struct EventTime: Equatable, Sendable {
    /// A NAS may run ahead of us by this much; a later Event-Timestamp is a wrong clock.
    static let futureMicroseconds: Int64 = 300_000_000
    /// A NAS may hold records back for this long; an earlier Event-Timestamp is a wrong clock, a longer delay is nonsense.
    static let heldMicroseconds: Int64 = 7 * 86_400_000_000

    /// Microseconds since 1970; never later than arrival.
    public let microseconds: Int64
    /// Wall clock at arrival.
    public let receivedMicroseconds: Int64
    /// Arrival less Acct-Delay-Time: the event's time by our clock, whatever the NAS's says. Later than the event where the NAS held the
    /// record back and does not send the delay.
    public let sentMicroseconds: Int64
    /// It is the NAS's own Event-Timestamp, not our arrival time less Acct-Delay-Time.
    public let isStamped: Bool
    /// The NAS sent an Event-Timestamp that cannot be true.
    public let isSkewed: Bool
    /// The NAS counted how long it had been trying: its Acct-Delay-Time is not 0, and may be true.
    public var isDelayed: Bool { sentMicroseconds != receivedMicroseconds }

    /// - Parameters:
    ///   - receivedMicroseconds: wall clock at arrival.
    ///   - delaySeconds: Acct-Delay-Time (RFC 2866 §5.2).
    ///   - eventTimestamp: Event-Timestamp, seconds since 1970 (RFC 2869 §5.3), if it was sent.
    public init(receivedMicroseconds: Int64, delaySeconds: UInt32 = 0, eventTimestamp: UInt32? = nil) {
        self.receivedMicroseconds = receivedMicroseconds
        let delay = Int64(delaySeconds) * 1_000_000
        sentMicroseconds = receivedMicroseconds - (delay <= Self.heldMicroseconds ? delay : 0)
        if let eventTimestamp {
            let stamp = Int64(eventTimestamp) * 1_000_000
            let ahead = stamp - receivedMicroseconds
            if ahead <= Self.futureMicroseconds, ahead >= -Self.heldMicroseconds {
                microseconds = min(stamp, receivedMicroseconds)
                isStamped = true
                isSkewed = false
                return
            }
        }
        microseconds = sentMicroseconds
        isStamped = false
        isSkewed = eventTimestamp != nil
    }
}
