import ServiceLifecycle

/// Parts under the service group: they run already, and end with it.
struct PartsService: Service {
    let parts: Parts

    func run() async throws {
        try? await gracefulShutdown()
        await parts.stop()
    }
}
