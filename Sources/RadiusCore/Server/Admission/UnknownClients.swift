import Synchronization

/// A sender that is no client.
public struct UnknownClient: Hashable, Sendable {
    public let address: IPAddress
    /// Other clients have this address, and none of them the NAS-Identifier of the packet, which stands here, empty where it had none; nil:
    /// nobody has the address.
    public let identifier: String?

    public init(address: IPAddress, identifier: String? = nil) {
        self.address = address
        self.identifier = identifier
    }
}

/// Senders of packets that are no client, for the operator who wonders why a router gets no answer.
public final class UnknownClients: Sendable {
    private struct State {
        var packets: [UnknownClient: UInt64] = [:]
        var identifiers: [IPAddress: Int] = [:]
    }

    private let seen = Mutex(State())
    /// Packets that may still be noted before the next `drain`: a flood costs one load a packet.
    private let credit = Atomic<Int>(UnknownClients.creditLimit)
    private static let creditLimit = 4096
    /// Senders kept; later ones are only counted.
    public static let limit = 256
    /// Of one address; who makes up NAS-Identifiers must not hide other addresses.
    public static let identifierLimit = 16

    public init() {}

    /// Never waits: while somebody reads, or after many since the last reading, the sender is not noted.
    ///
    /// - Parameters:
    ///   - address: where the packet came from.
    ///   - identifier: its NAS-Identifier, where other clients have the address.
    func note(_ address: IPAddress, _ identifier: UnsafeRawBufferPointer? = nil) {
        guard credit.load(ordering: .relaxed) > 0 else { return }
        credit.subtract(1, ordering: .relaxed)
        _ = seen.withLockIfAvailable { state in
            let client = UnknownClient(address: address, identifier: identifier.map { OctetText.string(Array($0)) })
            if let known = state.packets[client] {
                state.packets[client] = known + 1
            } else if state.packets.count < Self.limit, state.identifiers[address, default: 0] < Self.identifierLimit {
                state.packets[client] = 1
                state.identifiers[address, default: 0] += 1
            }
        }
    }

    /// Senders and packets since the last call; in a flood, at least as many packets.
    public func drain() -> [UnknownClient: UInt64] {
        credit.store(Self.creditLimit, ordering: .relaxed)
        return seen.withLock { state in
            let taken = state.packets
            state = State()
            return taken
        }
    }
}
