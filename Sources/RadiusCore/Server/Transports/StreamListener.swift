import CLinux
import Glibc

/// A bound port of one worker: of TCP, or of UDP for DTLS.
struct StreamListener: Sendable {
    let fd: Int32
    let transport: StreamTransport
    /// The kind of packets that come there; nil for all, as over TLS and DTLS.
    let service: Service?
    /// The setting that names the port.
    let key: String

    /// Binds `workers` sockets to one port, which share what arrives; they do not listen yet.
    ///
    /// - Throws: `ServerError` that names the port and what to do.
    static func bind(
        _ address: IPAddress, port: UInt16, transport: StreamTransport, service: Service?, key: String, workers: Int
    ) throws(ServerError) -> [StreamListener] {
        // With SO_REUSEPORT a second daemon of the same user could share the port; only our own workers may.
        let probe = try open(address.octets, port, transport, key, isShared: false)
        guard workers > 1 else { return [StreamListener(fd: probe, transport: transport, service: service, key: key)] }
        let chosen = UInt16(clamping: lm_bound_port(probe))
        close(probe)
        var listeners: [StreamListener] = []
        do throws(ServerError) {
            for _ in 0..<workers {
                let fd = try open(address.octets, chosen, transport, key, isShared: true)
                listeners.append(StreamListener(fd: fd, transport: transport, service: service, key: key))
            }
        } catch {
            listeners.forEach { close($0.fd) }
            throw error
        }
        return listeners
    }

    /// Connections that the kernel may accept ahead of us.
    private static let backlog: Int32 = 512

    /// Begins to listen, or goes on.
    func listen() -> Bool { lm_tcp_listen(fd, Self.backlog) == 0 }

    var port: UInt16 { UInt16(clamping: lm_bound_port(fd)) }

    private static func open(
        _ address: [UInt8], _ port: UInt16, _ transport: StreamTransport, _ key: String, isShared: Bool
    ) throws(ServerError) -> Int32 {
        let isDatagram = transport == .dtls
        let fd =
            isDatagram
            ? lm_udp_open(address, port, isShared ? 1 : 0, 0) : lm_tcp_bind(address, port, isShared ? 1 : 0, StreamSettings.kernelOctets)
        guard fd < 0 else {
            if isDatagram { _ = lm_receive_buffer(fd, StreamSettings.datagramBufferOctets) }
            return fd
        }
        let advice =
            switch -fd {
            case EADDRINUSE: "another program holds it; stop that program (`ss -l\(isDatagram ? "u" : "t")np`), or choose another \(key)"
            case EACCES: "the system does not allow it to this user; choose a port above 1023, or grant CAP_NET_BIND_SERVICE"
            case EADDRNOTAVAIL: "this machine does not have that address; mend radius.address"
            default: String(cString: strerror(-fd))
            }
        throw ServerError(description: "cannot listen on \(isDatagram ? "UDP" : "TCP") port \(port) (\(key)): \(advice)")
    }
}
