import CLinux
import Glibc
import Testing

@testable import RadiusCore

/// A NAS of either family that asks from one source port.
final class Gateway {
    let fd: Int32
    private let peer: lm_address

    /// - Parameters:
    ///   - source: a loopback address of its own; nil for the one it sends to.
    ///   - address: of the server.
    ///   - port: of the server.
    /// - Throws: when there is no such address here.
    init(from source: String? = nil, to address: String, port: UInt16) throws {
        let destination = try #require(IPAddress(text: address))
        peer = destination.datagramAddress(port: port)
        fd = lm_udp_open(try #require(IPAddress(text: source ?? address)).octets, 0, 0, 1 << 20)
        try #require(fd >= 0)
    }

    deinit { close(fd) }

    func send(_ packet: [UInt8]) {
        var octets = packet
        octets.withUnsafeMutableBufferPointer { memory in
            var slot = lm_datagram()
            slot.bytes = memory.baseAddress
            slot.count = UInt32(memory.count)
            slot.peer = peer
            _ = lm_send(fd, &slot, 1)
        }
    }

    /// The next datagram; empty when none comes within the time.
    func receive(waitMilliseconds: Int32 = 60_000) -> [UInt8] {
        var waiting = fd
        guard lm_wait(&waiting, 1, waitMilliseconds) > 0 else { return [] }
        var octets = [UInt8](repeating: 0, count: 4096)
        let count = octets.withUnsafeMutableBufferPointer { memory -> Int in
            var slot = lm_datagram()
            slot.bytes = memory.baseAddress
            slot.capacity = UInt32(memory.count)
            return lm_receive(fd, &slot, 1) == 1 ? Int(slot.count) : 0
        }
        return Array(octets[..<count])
    }

    func exchange(_ packet: [UInt8]) -> [UInt8] {
        send(packet)
        return receive()
    }
}
