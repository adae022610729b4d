import Logging
import RadiusCore
import ServiceLifecycle

/// Tells the operator who sends RADIUS packets without being a NAS of any tenant, by address, or by NAS-Identifier where NAS share one:
/// the usual reason for a router that gets no answer. Each is named once in ten minutes at most.
struct UnknownClientsReport: Service {
    let clients: UnknownClients
    let logger: Logger
    private static let secondsBetween = 10
    private static let roundsOfSilence = 60

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var named: [UnknownClient: Int] = [:]
            var round = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(Self.secondsBetween))
                round += 1
                named = named.filter { round - $0.value < Self.roundsOfSilence }
                for (client, packets) in clients.drain() where named[client] == nil {
                    // Who makes up names gets no more lines for it.
                    guard named.keys.count(where: { $0.address == client.address }) < UnknownClients.identifierLimit else { continue }
                    named[client] = round
                    warn(client, packets)
                }
            }
        }
    }

    private func warn(_ client: UnknownClient, _ packets: UInt64) {
        let prefix = "\(client.address.text)/\(client.address.ipv4 == nil ? 128 : 32)"
        guard let identifier = client.identifier else {
            logger.warning(
                "dropped packets of an unknown client; add it with `lastmile nas create --address \(prefix) ...` if it is yours",
                metadata: ["address": "\(client.address.text)", "packets": "\(packets)"])
            return
        }
        let advice =
            identifier.isEmpty
            ? "have it send NAS-Identifier, or add a NAS without one"
            : "add it with `lastmile nas create --nas-identifier ...` if it is yours"
        logger.warning(
            "dropped packets of an unknown client at an address that NAS share: no NAS has their NAS-Identifier; \(advice)",
            metadata: ["address": "\(client.address.text)", "nas_identifier": "\(identifier)", "packets": "\(packets)"])
    }
}
