import Glibc
import RadiusCore
import Support
import Synchronization

/// Subscribers that get addresses of a pool over two nodes, and a book of who has what as they see it.
///
/// They are hardware addresses without passwords, numbered from 0: SQL makes thousands of them in a moment.
final class AddressSubscribers: Sendable {
    static let pool = "pooled"
    private static let secret = SharedSecret(Array("testing123".utf8))
    /// A packet is sent again after so long, to the other node.
    private static let patience: Int32 = 400

    /// One session as its subscriber knows it.
    struct Session: Sendable {
        let subscriber: Int
        let name: String
        let address: UInt32
    }

    private struct Book {
        var holders: [UInt32: Int] = [:]
        var accepts = 0
        var sessions: [Session] = []
        var faults: [String] = []
    }

    private let nodes: [DaemonProcess]
    let count: Int
    private let book = Mutex(Book())

    init(_ nodes: [DaemonProcess], count: Int) {
        self.nodes = nodes
        self.count = count
    }

    /// Access-Accepts so far.
    var accepts: Int { book.withLock { $0.accepts } }
    /// Sessions whose Start was acknowledged.
    var sessions: [Session] { book.withLock { $0.sessions } }
    /// Addresses that somebody got while another had them.
    var faults: [String] { book.withLock { $0.faults } }
    /// Subscribers that are on line.
    var online: Int { book.withLock { $0.holders.count } }

    /// Makes the pool, the profile and the subscribers, and waits until every node can serve the last of them.
    func create(range: String, offerSeconds: Int) async throws {
        let owner = Operator(nodes[0])
        try await owner.create(
            "address-pools",
            #"{"name":"\#(Self.pool)","kind":"ipv4","ranges":["\#(range)"],"offer_time":\#(offerSeconds),"quarantine":1}"#)
        try await owner.create("profiles", #"{"name":"\#(Self.pool)","pool":"\#(Self.pool)"}"#)
        _ = try await nodes[0].query(
            """
            INSERT INTO aaa.subscriber (tenant_id, username, mac_authentication, profile_id)
            SELECT p.tenant_id, '02:00:00:' || substr(h, 1, 2) || ':' || substr(h, 3, 2) || ':' || substr(h, 5, 2), true, p.id
            FROM aaa.profile p, generate_series(0, \(count - 1)) n, LATERAL (SELECT lpad(to_hex(n), 6, '0') AS h) x
            WHERE p.name = '\(Self.pool)'
            RETURNING id::text
            """)
        for node in nodes {
            try await eventually { await node.metric("lastmile_snapshot_subscribers").map { $0 >= Double(self.count) } ?? false }
        }
    }

    /// Each of `subscribers`, on a few threads: logs in, and begins a session, and with `isLeaving` ends it at once.
    func comeAndGo(_ subscribers: Range<Int>, leaving: Bool) async throws {
        let threads = 4
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<threads {
                group.addTask { [self] in
                    try await onOwnThread { [self] in
                        for subscriber in subscribers where subscriber % threads == thread {
                            let session = try begin(subscriber)
                            if leaving { try end(session) }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Ends the sessions of `subscribers`, whatever they have.
    func leave(_ subscribers: Range<Int>) async throws {
        let open = book.withLock { book in
            let last = Dictionary(book.sessions.map { ($0.subscriber, $0) }) { $1 }
            return last.values.filter { subscribers.contains($0.subscriber) && book.holders[$0.address] == $0.subscriber }
        }
        let threads = 4
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<threads {
                group.addTask { [self] in
                    try await onOwnThread { [self] in for session in open where session.subscriber % threads == thread { try end(session) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// A log-in until it is accepted, and a Start until it is acknowledged.
    private func begin(_ subscriber: Int) throws -> Session {
        let address = try logIn(subscriber)
        let number = book.withLock { book in
            book.accepts += 1
            if let other = book.holders[address], other != subscriber {
                book.faults.append("\(IPAddress(ipv4: address).text) for \(subscriber), which \(other) has")
            }
            book.holders[address] = subscriber
            return book.accepts
        }
        let session = Session(subscriber: subscriber, name: "pooled-\(subscriber)-\(number)", address: address)
        try account(session, status: 1)
        book.withLock { $0.sessions.append(session) }
        return session
    }

    private func end(_ session: Session) throws {
        // From the Stop on it is anybody's.
        book.withLock { if $0.holders[session.address] == session.subscriber { $0.holders[session.address] = nil } }
        try account(session, status: 2)
    }

    private func logIn(_ subscriber: Int) throws -> UInt32 {
        let name = Self.name(subscriber)
        guard let credential = ClientCredential(.pap, password: name) else { throw ProcessFailure("no credential") }
        return try exchange(subscriber, \.authenticationPort) { identifier in
            try ClientPacket.access(
                identifier: identifier, userName: name, credential: credential, attributes: Self.attribute(31, name), secret: Self.secret)
        } reading: { code, reply in
            // A Reject says that all of it waits for what killed nodes had offered.
            code == .accessAccept ? Self.framedAddress(reply) : nil
        }
    }

    private func account(_ session: Session, status: UInt8) throws {
        let name = Self.name(session.subscriber)
        let address = (0..<4).map { UInt8(truncatingIfNeeded: session.address >> (24 - 8 * UInt32($0))) }
        let attributes =
            Self.attribute(40, [0, 0, 0, status]) + Self.attribute(44, Array(session.name.utf8)) + Self.attribute(1, name)
            + Self.attribute(31, name) + Self.attribute(8, address) + Self.attribute(4, [127, 0, 0, 1])
        let _: Bool = try exchange(session.subscriber, \.accountingPort) { identifier in
            try ClientPacket.accounting(identifier: identifier, attributes: attributes, secret: Self.secret)
        } reading: { _, _ in
            true
        }
    }

    /// Asks one node after the other until one gives what is wanted.
    private func exchange<Answer>(
        _ subscriber: Int, _ port: (DaemonProcess) -> UInt16, _ packet: (UInt8) throws -> ClientPacket,
        reading: (PacketCode, [UInt8]) -> Answer?
    ) throws -> Answer {
        var turn = Int.random(in: 0...1)
        for _ in 0..<300 {
            turn += 1
            let peer = try DatagramPeer(port: port(nodes[turn % 2]))
            let request = try packet(.random(in: 0...255))
            peer.send(request.octets)
            guard let reply = peer.receive(milliseconds: Self.patience), reply.count > 1 else { continue }
            guard let verdict = try? request.verify(reply.span, secret: Self.secret) else { continue }
            if let answer = reading(verdict.code, reply) { return answer }
            _ = peer.receive(milliseconds: Self.patience)
        }
        throw ProcessFailure("subscriber \(subscriber) got no answer that would do in 300 tries")
    }

    private static func name(_ subscriber: Int) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        let octets = [0x02, 0, 0, subscriber >> 16 & 255, subscriber >> 8 & 255, subscriber & 255]
        return Array(octets.map { [digits[$0 >> 4], digits[$0 & 15]] }.joined(separator: [UInt8(ascii: ":")]))
    }

    private static func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type, UInt8(value.count + 2)] + value }

    private static func framedAddress(_ reply: [UInt8]) -> UInt32? {
        var offset = 20
        while offset + 6 <= reply.count {
            if reply[offset] == 8, reply[offset + 1] == 6 { return reply[offset + 2..<offset + 6].reduce(0) { $0 << 8 | UInt32($1) } }
            offset += max(2, Int(reply[offset + 1]))
        }
        return nil
    }
}
