import Provisioning
import ServiceLifecycle

/// Parts under the service group: they run already, and end with it.
struct PartsService: Service {
    let parts: Parts
    let watch: StopWatch

    func run() async throws {
        try? await gracefulShutdown()
        await parts.stop(watch)
    }
}

/// Listed last, so that the service group ends it first: `/readyz` says at once that this node is going, while HTTP still answers.
struct StopNotice: Service {
    let parts: Parts

    func run() async throws {
        try? await gracefulShutdown()
        parts.beginStop()
    }
}

/// Running sessions follow their subscribers' state until the daemon ends.
struct ReauthorizationService: Service {
    let reauthorizer: Reauthorizer

    func run() async throws {
        await cancelWhenGracefulShutdown { await reauthorizer.run() }
    }
}
