internal import CLinux
internal import Glibc
internal import Synchronization

/// UDP ports that the system gives nobody of its own accord: a daemon finds its own again in its next life, whatever other tests open
/// meanwhile.
enum LastingPorts {
    private static let last = Mutex(UInt16.random(in: 16_384..<28_672))

    /// One that nobody has, and that no other daemon of this test process is given.
    static func next() throws -> UInt16 {
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
