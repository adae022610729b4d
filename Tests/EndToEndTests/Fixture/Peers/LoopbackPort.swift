import Glibc
import Support
import Synchronization

/// Ports for programs that cannot choose one themselves.
enum LoopbackPort {
    /// Below those that Linux gives to whoever asks for any (`ip_local_port_range`): no other socket gets one before its program does.
    private static let range = 20_000..<28_000
    private static let last = Mutex(Int.random(in: range))

    /// A UDP port of the loopback address that nobody has, and that no other test gets.
    static func free() throws -> UInt16 {
        for _ in range {
            let port = last.withLock { last in
                last = last + 1 < range.upperBound ? last + 1 : range.lowerBound
                return UInt16(last)
            }
            if isFree(port) { return port }
        }
        throw ProcessFailure("no free UDP port")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
