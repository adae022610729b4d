import DaemonSettings
import Database
import Logging
import Provisioning
import RadiusCore

extension Parts {
    /// What keeps this node's share of the address pools.
    static func addressService(
        _ pools: AddressPools, _ database: DatabaseConfiguration, _ node: String, _ settings: Settings, _ shipper: AccountingShipper,
        _ journal: Journal
    ) -> AddressPoolService {
        var service = AddressPoolService.Settings()
        service.leaseSeconds = Int64(settings.poolLeaseSeconds)
        service.stock = settings.poolStock
        return AddressPoolService(
            pools: pools, configuration: database, node: node, settings: service,
            progress: { (journal.durableSequence, shipper.shippedSequence) }, logger: Logger(label: "address-pools"))
    }
}

extension Metrics {
    mutating func addAddresses(_ parts: Parts) {
        guard let state = parts.addressService?.state else { return }
        family("address_pool_items", "gauge", "Addresses of each pool, by what became of them, over all nodes.")
        for fill in state.fills {
            let labels = [("tenant", "\(fill.tenant)"), ("pool", fill.name)]
            sample("address_pool_items", labels + [("state", "all")], fill.items)
            sample("address_pool_items", labels + [("state", "in_use")], fill.inUse)
            sample("address_pool_items", labels + [("state", "quarantine")], fill.resting)
        }
        let pools = parts.addresses.all.compactMap { pool in pool.rules.map { (rules: $0, counts: pool.counts) } }
        family("address_pool_held", "gauge", "Addresses that this node holds, by state.")
        for (rules, counts) in pools {
            let labels = [("tenant", "\(rules.tenant)"), ("pool", rules.name)]
            sample("address_pool_held", labels + [("state", "free")], counts.free)
            sample("address_pool_held", labels + [("state", "offered")], counts.offered)
            sample("address_pool_held", labels + [("state", "in_use")], counts.inUse)
            sample("address_pool_held", labels + [("state", "quarantine")], counts.quarantined)
            sample("address_pool_held", labels + [("state", "unsettled")], counts.unsettled)
        }
        family("address_pool_answers_total", "counter", "Log-ins that asked a pool at this node, by what it answered.")
        for (rules, counts) in pools {
            let labels = [("tenant", "\(rules.tenant)"), ("pool", rules.name)]
            sample("address_pool_answers_total", labels + [("answer", "offered")], counts.offers)
            sample("address_pool_answers_total", labels + [("answer", "exhausted")], counts.refusals)
            sample("address_pool_answers_total", labels + [("answer", "refilling")], counts.refills)
        }
        family("address_pool_conflicts_total", "counter", "Addresses that a session used to which they were not given, or several at once.")
        for (rules, counts) in pools {
            sample("address_pool_conflicts_total", [("tenant", "\(rules.tenant)"), ("pool", rules.name)], counts.conflicts)
        }
        family("address_pool_lapsed_total", "counter", "Addresses in an Access-Accept that no session followed.")
        for (rules, counts) in pools {
            sample("address_pool_lapsed_total", [("tenant", "\(rules.tenant)"), ("pool", rules.name)], counts.expired)
        }
        single(
            "address_pool_swept_total", "counter", "Addresses that were released late, by the search for sessions that are gone.",
            state.swept)
        single(
            "address_pool_horizon_lag_seconds", "gauge", "How far the accounting that all nodes have stored is behind; offers lapse by it.",
            state.horizonLagSeconds)
        single("address_pool_connected", "gauge", "1 while the pools follow the database.", state.lastError == nil ? 1 : 0)
    }
}
