import Glibc
import Synchronization

@testable import RadiusCore
@testable import lastmile

/// A server of the tests that answers every request by its behaviour.
final class AnsweringServer: Sendable {
    enum Behaviour {
        /// Signs each reply.
        case answers
        /// Answers repetitions only.
        case dropsFirst
        /// Sends each datagram back.
        case echoes
        /// Sends the first request's reply to all, with each request's identifier.
        case repeatsFirstReply
    }

    let port: UInt16
    private let secret: SharedSecret
    private let fd: Int32
    private let stopping = Atomic<Bool>(false)
    private let records = Mutex<[[UInt8]]>([])

    init(secret: SharedSecret, _ behaviour: Behaviour = .answers) throws {
        self.secret = secret
        let socket = try DatagramSocket(port: 0, on: IPAddress(ipv4: 0x7f00_0001))
        port = socket.port
        fd = dup(socket.fd)
        Thread.start(name: "answers") { [self] in serve(behaviour) }
    }

    func stop() { stopping.store(true, ordering: .relaxed) }

    /// Accounting requests, each once, in the order of their answers.
    var answered: [[UInt8]] { records.withLock { $0 } }

    private func serve(_ behaviour: Behaviour) {
        let dropsFirst = behaviour == .dropsFirst
        var first: [UInt8] = []
        var seen: Set<[UInt8]> = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !stopping.load(ordering: .relaxed) {
            guard DatagramSocket.wait(for: [fd], milliseconds: 20) else { continue }
            var address = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    let count = recvfrom(fd, &buffer, buffer.count, 0, peer, &length)
                    guard count >= 20 else { return }
                    let request = Array(buffer[..<count])
                    let isNew = seen.insert(request).inserted
                    if dropsFirst && isNew { return }
                    if isNew || dropsFirst { records.withLock { $0.append(request) } }
                    if first.isEmpty { first = self.reply(to: request) }
                    let reply =
                        switch behaviour {
                        case .echoes: request
                        case .repeatsFirstReply: [first[0], request[1]] + first[2...]
                        case .answers, .dropsFirst: self.reply(to: request)
                        }
                    _ = sendto(fd, reply, reply.count, 0, peer, length)
                }
            }
        }
        close(fd)
    }

    private func reply(to request: [UInt8]) -> [UInt8] {
        var reply = [request[0] == 4 ? 5 : 2, request[1], 0, 20] + [UInt8](repeating: 0, count: 16)
        var span = reply.mutableSpan
        ResponseAuthenticator.sign(&span, requestAuthenticator: Digest16 { request[4 + $0] }, secret: secret)
        return reply
    }
}
