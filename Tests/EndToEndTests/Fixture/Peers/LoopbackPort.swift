import Glibc
import Support

/// Ports for programs that cannot choose one themselves.
enum LoopbackPort {
    /// A UDP port of the loopback address that nobody had a moment ago.
    static func free() throws -> UInt16 {
        let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, size) == 0 && getsockname(fd, $0, &size) == 0 }
        }
        guard status else { throw ProcessFailure("no free UDP port") }
        return UInt16(bigEndian: address.sin_port)
    }
}
