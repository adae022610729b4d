internal import Glibc
import Synchronization

/// A SIM card outside of `eapol_test`, reached by the program's control socket: gets what the program wants computed, and computes it.
final class ExternalCard: Sendable {
    private static let question = "CTRL-REQ-SIM-"

    private let directory: String
    private let answer: @Sendable (String) -> String
    private let isOver = Atomic(false)

    /// - Parameters:
    ///   - directory: where the program puts its socket.
    ///   - answer: what the card says to `GSM-AUTH:...` or `UMTS-AUTH:...`, in the program's own form.
    init(directory: String, answer: @escaping @Sendable (String) -> String) {
        self.directory = directory
        self.answer = answer
    }

    /// Answers until `stop` is called.
    func serve() throws {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        guard Self.withAddress(directory + "/card", { bind(socket, $0, $1) }) == 0 else {
            throw ProcessFailure("no socket for the card: \(String(cString: strerror(errno)))")
        }
        var wait = timeval(tv_sec: 0, tv_usec: 50_000)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var isAttached = false
        while !isOver.load(ordering: .relaxed) {
            if !isAttached { isAttached = send("ATTACH", socket) }
            guard let text = receive(socket), let start = text.firstRange(of: Self.question)?.upperBound else { continue }
            let rest = text[start...]
            let number = rest.prefix { $0.isNumber }
            let asked = rest.dropFirst(number.count + 1).prefix { $0 != " " }
            _ = send("CTRL-RSP-SIM-\(number):\(answer(String(asked)))", socket)
        }
    }

    func stop() { isOver.store(true, ordering: .relaxed) }

    private func send(_ text: String, _ socket: Int32) -> Bool {
        let octets = Array(text.utf8)
        return Self.withAddress(directory + "/control/test") { sendto(socket, octets, octets.count, 0, $0, $1) } == octets.count
    }

    /// What came; nil when nothing did for a moment.
    private func receive(_ socket: Int32) -> String? {
        var octets = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &octets, octets.count, 0)
        return count > 0 ? String(decoding: octets[..<count], as: UTF8.self) : nil
    }

    private static func withAddress<T>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in room.copyBytes(from: path.utf8.prefix(room.count - 1)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
