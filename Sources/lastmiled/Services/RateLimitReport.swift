import Logging
import RadiusCore
import ServiceLifecycle

/// Tells the operator which NAS send more than their rate limit lets through.
struct RateLimitReport: Service {
    let store: SnapshotStore
    let logger: Logger
    private static let secondsBetween: Int64 = 10

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var watch = RateLimitWatch()
            var seconds: Int64 = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(Self.secondsBetween))
                seconds += Self.secondsBetween
                for (client, dropped) in watch.look(at: store.snapshot.clients.clients, nowSeconds: seconds) { warn(client, dropped) }
            }
        }
    }

    private func warn(_ client: NASClient, _ dropped: UInt64) {
        logger.warning(
            "dropped Access-Requests of a NAS that sends more than its rate limit; see `lastmile nas doctor`",
            metadata: ["nas": "\(client.name)", "dropped": "\(dropped)", "per_second": "\(client.rateLimitPerSecond)"])
    }
}
