import Admin
import DaemonSettings
import Database
import Logging
import Provisioning
import RadiusCore

extension Parts {
    /// What the HTTP interface asks of the network side.
    func adminServices(
        token: String, seal: @escaping @Sendable ([UInt8]) throws -> [UInt8], open: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) -> AdminServices {
        // Where no logins come to, nobody's sessions are known.
        let census = server == nil ? nil : self.census
        // Other nodes' settings are not known.
        let eap = server?.environment.eap
        var services = AdminServices(
            pool: pool, logger: Logger(label: "http"), operatorToken: token, seal: seal, open: open,
            validateAttribute: { [feed] name, value in Self.refusal(of: name, value, feed.store.snapshot.dictionary) },
            vendorNames: NASVendor.names,
            explain: { [feed, census, eap] tenant, userName, nas in
                try PolicyService.explain(tenant, userName, nas, feed.store.snapshot, census, eap?.offer)
            },
            checkPolicy: { [feed] connection in try PolicyService.mistakes(connection, feed.store.snapshot.dictionary) },
            testPolicy: { [feed, census, eap] tenant, trial in
                try PolicyService.test(trial, tenant, feed.store.snapshot, census, eap?.offer)
            },
            disconnect: { [control] tenant, session, actor in
                try await Self.outcome { try await control.disconnect(tenant: tenant, session: session, by: actor) }
            },
            coa: { [control, feed] tenant, session, actor in
                await feed.waitForFullLook()
                return try await Self.outcome { try await control.reauthorize(tenant: tenant, session: session, by: actor) }
            },
            applyProfile: { [control, feed] tenant, profile, actor in
                // The caller's change is committed; the rates that go out are the snapshot's.
                await feed.waitForFullLook()
                let summary = try await control.applyProfileChange(tenant: tenant, profile: profile, by: actor)
                return Self.text([
                    "sessions": .number("\(summary.total)"), "ack": .number("\(summary.acks)"), "nak": .number("\(summary.naks)"),
                    "timeout": .number("\(summary.timeouts)"), "refused": .number("\(summary.refused)"),
                ])
            },
            openTrace: { [self] tenant, wish in try openTrace(tenant, wish) },
            examineNAS: { [self] tenant, name in try await examineNAS(tenant, name) },
            metrics: { [self] in Metrics.render(self) },
            readiness: { [self] in readiness() })
        services.proxy = proxyServices()
        services.checkHook = { [feed] condition in
            do throws(LoginCondition.Fault) {
                _ = try LoginCondition(condition, dictionary: feed.store.snapshot.dictionary)
                return nil
            } catch {
                return error.description
            }
        }
        return services
    }

    /// Whether this node answers: what must work, and what is degraded.
    private func readiness() -> Readiness {
        let feed = feed.state
        let shipper = shipper.statistics
        return Readiness(checks: [
            .init(
                name: "snapshot", isReady: feed.isLoaded,
                detail: feed.lastError ?? feed.loadError ?? "\(feed.changes) changes followed"),
            .init(name: "database", isReady: feed.isAnswered, detail: feed.lastError ?? Self.answers(feed)),
            .init(name: "journal", isReady: journal.state == .healthy, detail: journal.state.text),
            .init(name: "radius", isReady: !isStopping && server?.isRunning ?? true, detail: radiusState),
            .init(name: "accounting", isReady: true, detail: Self.behind(shipper)),
        ])
    }

    private static func behind(_ shipper: ShipperStatistics) -> String {
        var text = "\(shipper.lagRecords) records behind"
        if shipper.lagRecords > 0 { text += ", the oldest for \(Int(shipper.lagSeconds)) seconds" }
        return text + (shipper.problem.map { ": \($0)" } ?? "")
    }

    private static func answers(_ feed: SnapshotFeed.Statistics) -> String {
        feed.isAnswered ? "connected" : "no answer for \(Int(feed.silentSeconds)) seconds"
    }

    private var radiusState: String {
        if isStopping { return "stopping" }
        return server == nil ? "not a role of this node" : "listening"
    }

    private static func refusal(of name: String, _ value: String, _ dictionary: RadiusDictionary) -> String? {
        var compiled = CompiledAttributes()
        compiled.append(name, value, dictionary)
        return compiled.problems.first
    }

    private static func outcome(_ body: () async throws -> SessionControlResult) async throws -> String {
        do {
            return text(json(try await body()))
        } catch SessionControlError.sessionNotFound(let id) {
            throw ServiceFailure.notFound("an open session \(id)")
        }
    }

    private static func json(_ result: SessionControlResult) -> JSON {
        var outcome: JSON = .string("refused")
        var cause: JSON = .null
        switch result.outcome {
        case .ack: outcome = "ack"
        case .nak(let code):
            outcome = "nak"
            cause = code.map { .number("\($0)") } ?? .null
        case .timeout: outcome = "timeout"
        case .refused: break
        }
        return [
            "session": .number("\(result.sessionID)"), "request": .number("\(result.requestID)"),
            "kind": .string(result.kind == .disconnect ? "disconnect" : "coa"), "outcome": outcome, "error_cause": cause,
            "message": .string(result.message), "closed": .boolean(result.isClosed),
        ]
    }

    private static func text(_ value: JSON) -> String { String(decoding: value.bytes, as: UTF8.self) }
}
