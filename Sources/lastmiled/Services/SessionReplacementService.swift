import Logging
import Provisioning
import RadiusCore
import ServiceLifecycle

/// Sessions give way to newer ones until the daemon ends.
struct SessionReplacementService: Service {
    let replacer: SessionReplacer

    func run() async throws {
        await cancelWhenGracefulShutdown { await replacer.run() }
    }
}

extension Parts {
    var replacer: SessionReplacer {
        SessionReplacer(pool: pool, control: control, census: census, logger: Logger(label: "session-limits"))
    }
}

extension Metrics {
    mutating func addSessionLimits(_ parts: Parts) {
        guard let reader = parts.censusReader?.state else { return }
        let census = parts.census.statistics
        single("limited_sessions", "gauge", "Sessions that this node remembers of subscribers with a session_limit.", census.sessions)
        single("limited_sessions_refused_total", "counter", "Log-ins that were one too many.", census.refused)
        single("limited_sessions_replaced_total", "counter", "Sessions that were asked to end for a newer one.", census.replaced)
        single("limited_sessions_read_seconds", "gauge", "How long the last reading of them from the database took.", reader.readSeconds)
        single("limited_sessions_connected", "gauge", "1 while they follow the database.", reader.lastError == nil ? 1 : 0)
    }
}
