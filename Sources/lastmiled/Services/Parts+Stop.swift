import Provisioning
import RadiusCore

extension Parts {
    /// In the order of the flow: no new packets, then what they left behind. `watch` is told what is waited for.
    func stop(_ watch: StopWatch) async {
        watch.step("packets that were received to be answered")
        beginStop()
        await Self.until { server?.isRunning != true && streams?.isRunning != true }
        slowChecks.shutdown()
        forwarder?.stop()
        await Self.until { forwarder?.hasEnded != false }
        server?.environment.eap?.shutdown()
        server?.environment.proxy?.shutdown()
        watch.step("accounting and the authentication log to be stored")
        await Self.together([
            { [authLog] in authLog?.stop() }, { [shipper] in shipper.stop() }, { [quotas] in quotas.stop() }, { [names] in names.stop() },
            { [hooks] in hooks.stop() },
        ])
        watch.step("addresses to be given back, and the last changes")
        feed.stop()
        await Self.together([{ [addressService] in addressService?.stop() }, { [censusReader] in censusReader?.stop() }])
        await Self.until { feed.hasEnded }
        coa.shutdown()
        journal.close()
        watch.step("requests over HTTP to be answered")
    }

    /// Blocking ends side by side: where PostgreSQL does not answer, each finds that out by itself.
    private static func together(_ ends: [@Sendable () -> Void]) async {
        await withTaskGroup(of: Void.self) { group in
            for end in ends {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.start(name: "stop") {
                            end()
                            continuation.resume()
                        }
                    }
                }
            }
        }
    }

    private static func until(_ condition: () -> Bool) async {
        for _ in 0..<1000 where !condition() { try? await Task.sleep(for: .milliseconds(10)) }
    }
}
