internal import CLinux
internal import Glibc
internal import Synchronization

/// UDP ports below those that Linux gives to whoever asks for any (`ip_local_port_range`): a daemon finds its own again in its next
/// life, and a program that cannot choose one itself finds the one it is told, whatever other tests open meanwhile.
public enum LastingPorts {
    private static let last = Mutex(UInt16.random(in: 16_384..<28_672))

    /// One that nobody has, and that nobody else in this test process is given.
    ///
    /// - Throws: `ProcessFailure` when none is free.
    public static func next() throws -> UInt16 {
        let anywhere = [UInt8](repeating: 0, count: 16)
        for _ in 0..<1000 {
            let port = last.withLock { last in
                last += 1
                return last
            }
            let probe = lm_udp_open(anywhere, port, 0, 0)
            if probe >= 0 {
                close(probe)
                return port
            }
        }
        throw ProcessFailure("of a thousand UDP ports none is free")
    }
}
