import Glibc
import Logging
import RadiusCore
import ServiceLifecycle

/// Tells the operator who was not let in over TCP and TLS, and why; and has the certificates follow their files.
///
/// The same reason for the same address is told once in ten minutes at most.
struct StreamReport: Service {
    let streams: StreamServer?
    let logger: Logger
    private static let secondsBetween = 3
    private static let roundsOfSilence = 200
    private static let roundsOfADay = 28_800
    /// A certificate that ends within so many days is worth a warning each day.
    private static let daysOfWarning: Int64 = 30

    func run() async throws {
        guard let streams else {
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            var told: [String: Int] = [:]
            var failure = ""
            var round = 0
            while !Task.isCancelled {
                if round % Self.roundsOfADay == 0 { warnOfEnds(streams) }
                try? await Task.sleep(for: .seconds(Self.secondsBetween))
                round += 1
                told = told.filter { round - $0.value < Self.roundsOfSilence }
                refresh(streams, &failure)
                for refusal in streams.census.drainRefusals() { tell(refusal, &told, round) }
            }
        }
    }

    /// Files that stay unusable are told of once.
    private func refresh(_ streams: StreamServer, _ failure: inout String) {
        let outcome = streams.refreshCertificates()
        if case .failed(let reason, _) = outcome {
            guard failure != "\(reason)" else { return }
            failure = "\(reason)"
        } else {
            if case .unchanged = outcome, !failure.isEmpty { logger.notice("the files of radsec are as they were") }
            failure = ""
        }
        Self.tell(outcome, to: logger)
    }

    private func tell(_ refusal: StreamCensus.Refusal, _ told: inout [String: Int], _ round: Int) {
        let key = "\(refusal.address.text) \(refusal.transport.name) \(refusal.reason)"
        guard told[key] == nil else { return }
        told[key] = round
        logger.warning(
            "refused a connection: \(refusal.sentence)",
            metadata: [
                "address": "\(refusal.address.text)", "nas": "\(refusal.client ?? "none")", "transport": "\(refusal.transport.name)",
                "reason": "\(refusal.reason)", "count": "\(refusal.count)",
            ])
    }

    private func warnOfEnds(_ streams: StreamServer) {
        guard let context = streams.certificates?.current else { return }
        let soon = Int64(time(nil)) + Self.daysOfWarning * 86_400
        for certificate in context.certificates + context.authorities where certificate.notAfter < soon {
            let days = (certificate.notAfter - Int64(time(nil))) / 86_400
            logger.warning("the certificate of \(certificate.subject) ends in \(days) days; issue another in its place")
        }
    }

    /// Says what a look at the certificates came to.
    static func tell(_ outcome: RadSecCertificates.Outcome, to logger: Logger) {
        switch outcome {
        case .unchanged: break
        case .ready(let context): logger.notice("RADIUS over TLS is on", metadata: ["certificate": "\(names(context))"])
        case .replaced(let context):
            logger.notice("new connections get the new files of radsec", metadata: ["certificate": "\(names(context))"])
        case .failed(let reason, true): logger.error("the files of radsec cannot be used, what was in force before stays: \(reason)")
        case .failed(let reason, false):
            logger.error("RADIUS over TLS is off until this is mended, which needs no restart: \(reason)")
        }
    }

    private static func names(_ context: TLSContext) -> String { context.certificates.first?.subject ?? "" }
}
