import Logging
import RadiusCore
import ServiceLifecycle

/// Tells the operator which addresses send RADIUS packets without being a NAS of any tenant: the usual reason for a router that gets
/// no answer. Each address is named once in ten minutes at most.
struct UnknownClientsReport: Service {
    let clients: UnknownClients
    let logger: Logger
    private static let secondsBetween = 10
    private static let roundsOfSilence = 60

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var named: [IPAddress: Int] = [:]
            var round = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(Self.secondsBetween))
                round += 1
                named = named.filter { round - $0.value < Self.roundsOfSilence }
                for (address, packets) in clients.drain() where named[address] == nil {
                    named[address] = round
                    logger.warning(
                        "dropped packets of an unknown client; add it with `lastmile nas create --address \(address.text)/\(address.ipv4 == nil ? 128 : 32) ...` if it is yours",
                        metadata: ["address": "\(address.text)", "packets": "\(packets)"])
                }
            }
        }
    }
}
