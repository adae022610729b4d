import Glibc
import Support
import Synchronization

/// TCP connections to a port of the loopback network that do as little as they can.
final class StreamCrowd: Sendable {
    private let descriptors = Mutex<[Int32]>([])

    deinit { leave() }

    /// Opens `count` connections from `source`; the kernel may have accepted some that the server has not.
    ///
    /// - Throws: `ProcessFailure` when the system refuses.
    func open(_ count: Int, to port: UInt16, from source: String) throws {
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw ProcessFailure("no socket: \(String(cString: strerror(errno)))") }
            descriptors.withLock { $0.append(descriptor) }
            guard call(bind, descriptor, source, 0), call(connect, descriptor, "127.0.0.1", port) else {
                throw ProcessFailure("no connection from \(source): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Sends `octets` over each connection that still stands.
    ///
    /// - Returns: over how many it was taken.
    func send(_ octets: [UInt8]) -> Int {
        descriptors.withLock { $0.count { Glibc.send($0, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count } }
    }

    /// Closes them all.
    func leave() {
        descriptors.withLock { all in
            all.forEach { close($0) }
            all = []
        }
    }

    private func call(
        _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32, _ host: String, _ port: UInt16
    ) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return false }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
