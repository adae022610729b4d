import CLinux
import Glibc
import Support
import Synchronization

@testable import RadiusCore

/// The way between one client and a server, with the weather that a test makes: datagrams get lost, come twice, or late.
final class LossyRelay: Sendable {
    enum Direction: Sendable {
        case toServer, toClient
    }

    enum Fate: Sendable {
        case comes, getsLost, comesTwice
        /// Behind the next one, or when none follows for a moment.
        case comesLate
    }

    /// What becomes of the datagram of that number, counted from 0 in its direction, and of that length.
    typealias Weather = @Sendable (_ direction: Direction, _ number: Int, _ octets: Int) -> Fate

    /// Where the client sends to.
    let port: UInt16
    private let front: Int32
    private let back: Int32
    private let server: UInt16
    private let weather: Weather
    private let isEnding = Atomic<Bool>(false)

    /// - Throws: `ProcessFailure` when the system gives no sockets.
    init(to server: UInt16, _ weather: @escaping Weather) throws {
        let loopback = IPAddress(ipv4: 0x7f00_0001).octets
        (front, back) = (lm_udp_open(loopback, 0, 0, 1 << 20), lm_udp_open(loopback, 0, 0, 1 << 20))
        guard front >= 0, back >= 0 else { throw ProcessFailure("no UDP sockets for a relay") }
        port = UInt16(lm_bound_port(front))
        self.server = server
        self.weather = weather
    }

    deinit {
        close(front)
        close(back)
    }

    /// Relays for as long as `body` works, which may block: the relay's thread waits for no other.
    func use(_ body: () throws -> Void) rethrows {
        Thread.start(name: "relay") { [self] in relay() }
        defer { isEnding.store(true, ordering: .relaxed) }
        try body()
    }

    /// A fifth gets lost, a sixth comes twice and a sixth late, of the first `count` in each direction; behind them all comes.
    static func storm(_ seed: UInt64, count: Int) -> Weather {
        { direction, number, _ in
            guard number < count else { return .comes }
            var random = SeededGenerator(state: seed &* 1000 &+ UInt64(number) &* 2 &+ (direction == .toServer ? 0 : 1))
            switch random.next() % 30 {
            case ..<6: return .getsLost
            case ..<11: return .comesTwice
            case ..<16: return .comesLate
            default: return .comes
            }
        }
    }

    /// One direction of it.
    private struct Leg {
        let direction: Direction
        let entry: Int32
        let exit: Int32
        var target: lm_address
        var number = 0
        var late: [[UInt8]] = []

        mutating func release() {
            late.forEach(send)
            late = []
        }

        func send(_ datagram: [UInt8]) {
            var octets = datagram
            octets.withUnsafeMutableBufferPointer { memory in
                var slot = lm_datagram()
                slot.bytes = memory.baseAddress
                slot.count = UInt32(memory.count)
                slot.peer = target
                _ = lm_send(exit, &slot, 1)
            }
        }
    }

    private func relay() {
        let here = IPAddress(ipv4: 0x7f00_0001)
        var there = Leg(direction: .toServer, entry: front, exit: back, target: here.datagramAddress(port: server))
        var back = Leg(direction: .toClient, entry: self.back, exit: front, target: lm_address())
        while !isEnding.load(ordering: .relaxed) {
            guard lm_wait([front, self.back], 2, 20) > 0 else {
                there.release()
                back.release()
                continue
            }
            if let sender = carry(&there) { back.target = sender }
            _ = carry(&back)
        }
    }

    /// Carries what has come on.
    ///
    /// - Returns: who sent the last of it; nil when nothing came.
    private func carry(_ leg: inout Leg) -> lm_address? {
        var sender: lm_address?
        var octets = [UInt8](repeating: 0, count: 20_000)
        while true {
            let count = octets.withUnsafeMutableBufferPointer { memory -> Int in
                var slot = lm_datagram()
                slot.bytes = memory.baseAddress
                slot.capacity = UInt32(memory.count)
                guard lm_receive(leg.entry, &slot, 1) == 1 else { return 0 }
                sender = slot.peer
                return Int(slot.count)
            }
            guard count > 0 else { return sender }
            deliver(Array(octets[..<count]), &leg)
        }
    }

    private func deliver(_ datagram: [UInt8], _ leg: inout Leg) {
        let fate = weather(leg.direction, leg.number, datagram.count)
        leg.number += 1
        switch fate {
        case .getsLost: break
        case .comesLate: leg.late.append(datagram)
        case .comes, .comesTwice:
            leg.send(datagram)
            if fate == .comesTwice { leg.send(datagram) }
            leg.release()
        }
    }
}
