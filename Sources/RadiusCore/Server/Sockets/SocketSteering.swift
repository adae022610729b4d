import CLinux
import Glibc

/// Whether the kernel spreads one gateway's requests over the workers.
///
/// SO_REUSEPORT alone chooses by addresses and ports, so that all packets of a gateway that sends from one port meet one worker. Steered,
/// the choice is a function of source address, source port and identifier: requests spread, and a retransmission, which repeats all
/// three (RFC 5080 §2.2.2), still meets the worker whose reply cache knows it.
public enum SocketSteering: Sendable, Equatable {
    /// One worker, nothing to choose.
    case notNeeded
    case active
    /// The kernel refused with this errno; each source port stays on one worker.
    case refused(Int32)

    /// Steers a group.
    ///
    /// - Parameter group: all sockets of one port, in the order in which they were bound.
    /// - Returns: what came of it; both `active` and `refused` leave the sockets usable.
    static func steer(_ group: [Int32]) -> SocketSteering {
        guard let first = group.first, group.count > 1 else { return .notNeeded }
        let result = lm_steer(first, UInt32(group.count))
        return result == 0 ? .active : .refused(-result)
    }

    /// For the log; nil when all is well.
    public var warning: String? {
        guard case .refused(let code) = self else { return nil }
        let reason = String(cString: strerror(code))
        return "the kernel does not steer packets to workers (\(reason)); all requests from one source port are answered by one worker"
    }
}
