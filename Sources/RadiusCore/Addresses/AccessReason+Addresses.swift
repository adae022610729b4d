/// Why a pool has nothing for a log-in at this node.
public enum AddressShortage: Sendable, Equatable {
    /// All of the pool is in use or rests.
    case used
    /// Other nodes hold what is not in use.
    case elsewhere
    /// What this node holds waits for the offers of a former holder, or a new range for the sessions of before.
    case settling
    /// The pool is switched off.
    case switchedOff

    var reason: AccessReason {
        switch self {
        case .used: .addressPoolExhausted
        case .elsewhere: .addressPoolElsewhere
        case .settling: .addressPoolSettling
        case .switchedOff: .addressPoolSwitchedOff
        }
    }
}

/// The reasons of address pools.
extension AccessReason {
    /// The stable name.
    var addressName: String {
        switch self {
        case .addressPoolExhausted: "address_pool_exhausted"
        case .addressPoolElsewhere: "address_pool_elsewhere"
        case .addressPoolSettling: "address_pool_settling"
        case .addressPoolSwitchedOff: "address_pool_switched_off"
        case .addressPoolRefilling: "address_pool_refilling"
        default: "address_pool_unavailable"
        }
    }

    /// What happened, and what to do.
    var addressSentence: String {
        switch self {
        case .addressPoolExhausted:
            "No address is left in a pool of the profile; add a range to it, or shorten its quarantine (lastmile address-pool list)."
        case .addressPoolElsewhere:
            "A pool of the profile has no address left for this node; what is not in use other nodes hold, which were asked for some. "
                + "Add a range to it if that goes on."
        case .addressPoolSettling:
            "This node has addresses of the pool, but a former holder may have offered them, or a range is new; it hands them out once the "
                + "pool's offer_time is over and the accounting of all nodes until then is stored. Try again."
        case .addressPoolSwitchedOff:
            "A pool of the profile is switched off; switch it on (lastmile address-pool update NAME --enabled true), or take it out of the "
                + "profile."
        case .addressPoolRefilling: "This node had no address left for a moment, while more were on their way; the next try gets one."
        default:
            "This node may not hand out addresses: it was out of touch with the database for longer than pools.lease_seconds, or the pool "
                + "is too new."
        }
    }
}
