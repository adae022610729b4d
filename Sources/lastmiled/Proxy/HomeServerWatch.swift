import Logging
import RadiusCore
import ServiceLifecycle

/// Tells the operator when a home server falls silent, is dead, or answers again, and why there is no connection to it.
struct HomeServerWatch: Service {
    let proxy: ProxyService
    let logger: Logger
    private static let secondsBetween = 3

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var news = HomeServerNews()
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(Self.secondsBetween))
                for item in news.look(at: proxy.reports) {
                    logger.log(level: item.isGood ? .notice : .warning, "\(item.sentence)", metadata: ["home_server": "\(item.server)"])
                }
            }
        }
    }
}
