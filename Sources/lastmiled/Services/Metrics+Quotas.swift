import Provisioning

extension Metrics {
    mutating func addQuotas(_ state: QuotaService.State) {
        family(
            "quota_restricted", "gauge", "Subscribers that a quota restricts, and those that were unlocked by hand, over all nodes.")
        for (action, count) in state.restricted.sorted(by: { $0.key < $1.key }) {
            sample("quota_restricted", [("action", action)], count)
        }
        single(
            "quota_settled_total", "counter", "Growths of sessions that this node counted against quotas, and states it settled.",
            state.settled)
        single("quota_waiting", "gauge", "Growths of sessions that nobody has counted yet, over all nodes.", state.waiting)
        single("quota_waiting_seconds", "gauge", "Age of the oldest of them.", state.waitingSeconds)
        single("quota_connected", "gauge", "1 while usage is counted or another node does it.", state.lastError == nil ? 1 : 0)
    }
}
