import CountProbe
import Glibc
import RadiusCore

/// Sends batches of requests and has callgrind and the allocation counter say what the server did for them.
///
/// Each case is warmed up and then counted in two windows of different length. Their difference is what the requests of the longer one
/// cost more: what is paid once a window, and the driver's thread, drop out.
struct CountDriver {
    static let batch = 32
    private static let windows = [CountWindow(name: "short", batches: 4), CountWindow(name: "long", batches: 20)]
    private static let warmUps = 4
    private let server: CountedServer
    private var requests = CountedRequests(secret: CountedServer.secret)

    private struct CountWindow {
        let name: String
        let batches: Int
    }

    init(server: CountedServer) {
        self.server = server
    }

    /// Counts `kind`; prints a line for each window: case, window, requests, allocations.
    mutating func count(_ kind: CountedCase) throws {
        try server.prepare(for: kind)
        let fd = try server.connect(for: kind)
        defer { close(fd) }
        let same = kind == .duplicate ? try requests.batch(kind, Self.batch) : nil
        for _ in 0..<Self.warmUps { try exchange(same ?? requests.batch(kind, Self.batch), kind, fd) }
        for window in Self.windows {
            let batches = try (0..<window.batches).map { _ in try same ?? requests.batch(kind, Self.batch) }
            let before = cp_allocations()
            let received = cp_batches()
            cp_dump("\(kind.rawValue) before \(window.name)")
            for batch in batches { try exchange(batch, kind, fd) }
            cp_dump("\(kind.rawValue) \(window.name)")
            guard cp_batches() - received == UInt64(window.batches) else {
                throw CountFault(
                    "\(kind.rawValue): the server received \(cp_batches() - received) batches and not \(window.batches): "
                        + "the counts would not repeat. It must take a batch by one recvmmsg.")
            }
            print(kind.rawValue, window.name, window.batches * Self.batch, cp_allocations() - before)
        }
    }

    /// Sends `count` batches of `kind` without counting.
    mutating func drive(_ kind: CountedCase, batches count: Int) throws {
        try server.prepare(for: kind)
        let fd = try server.connect(for: kind)
        defer { close(fd) }
        for _ in 0..<count { try exchange(requests.batch(kind, Self.batch), kind, fd) }
    }

    /// Sends a batch, lets the server take it whole, and checks each reply.
    private func exchange(_ batch: [ClientPacket], _ kind: CountedCase, _ fd: Int32) throws {
        cp_hold_receive()
        for request in batch where send(fd, request.octets, request.octets.count, 0) != request.octets.count {
            throw CountFault("\(kind.rawValue): a request cannot be sent: \(String(cString: strerror(errno)))")
        }
        cp_let_receive()
        var octets = [UInt8](repeating: 0, count: 4096)
        for _ in batch {
            let count = recv(fd, &octets, octets.count, 0)
            guard count >= 20, let request = batch.first(where: { $0.identifier == octets[1] }) else {
                throw CountFault("\(kind.rawValue): no reply; the server refused the request, or it hangs")
            }
            let verdict = try request.verify(octets.span.extracting(0..<count), secret: CountedServer.secret)
            guard verdict.code == kind.reply else { throw CountFault("\(kind.rawValue): answered by code \(verdict.code.rawValue)") }
        }
    }
}
