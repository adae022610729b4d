/// The reasons of logins that come from elsewhere.
extension AccessReason {
    /// The stable name of a reason about what a subscriber is bound to.
    var bindingName: String {
        switch self {
        case .macNotBound: "mac_not_bound"
        case .macMissing: "mac_missing"
        case .lineNotBound: "line_not_bound"
        case .sessionLimit: "session_limit"
        default: "line_missing"
        }
    }

    /// What happened, and what to do, of the same.
    var bindingSentence: String {
        switch self {
        case .macNotBound:
            "Calling-Station-Id is none of the hardware addresses that the subscriber is bound to; add it to macs, or clear them to bind the "
                + "next one."
        case .macMissing:
            "The subscriber is bound to a hardware address, and Calling-Station-Id has none; look at what the NAS sends there."
        case .lineNotBound:
            "The request comes from another line than those that the subscriber is bound to (circuit_ids, remote_ids, nas_port_ids)."
        case .sessionLimit:
            "The subscriber is online as often as session_limit allows; end a session (session list --user), raise the limit, or let the oldest "
                + "give way (on_session_limit)."
        default:
            "The subscriber is bound to a line, and the request does not tell a circuit id, remote id or port that it is bound to; look at "
                + "what access node and NAS insert."
        }
    }
}
