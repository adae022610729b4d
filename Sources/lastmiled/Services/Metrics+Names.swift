import Provisioning

extension Metrics {
    mutating func addNames(_ state: NameFollower.State) {
        single("dns_turn", "gauge", "1 on the node that looks up names of NAS and home servers.", state.hasTurn ? 1 : 0)
        single("dns_names", "gauge", "Names that this node looks up.", state.names)
        single("dns_failing", "gauge", "Names whose last look-up brought nothing.", state.failing)
        single("dns_connected", "gauge", "1 while this node reaches the database for it.", state.lastError == nil ? 1 : 0)
    }
}
