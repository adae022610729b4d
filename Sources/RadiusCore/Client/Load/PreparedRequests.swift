import Glibc

/// Requests that are made before the clock starts and sent in turn again and again, each with the reply that verified.
///
/// A server that sees all of them between two sendings of one cannot tell it from a new request: identifiers repeat after 256 requests
/// of a socket, each time with another authenticator. A reply with the very octets that verified for the same request needs no digests.
/// One thread.
struct PreparedRequests: ~Copyable {
    /// Longest reply that is remembered; a longer one is verified each time.
    private static let replyCapacity = 256
    private static let identifiers = LoadPlan.identifiers

    /// For each socket; a multiple of 256.
    private let perSocket: Int
    private let sockets: Int
    private let octets: UnsafeMutablePointer<UInt8>
    /// Where each request begins, and behind the last one where it ends.
    private let starts: UnsafeMutablePointer<Int>
    private let replies: UnsafeMutablePointer<UInt8>
    private let replyCounts: UnsafeMutablePointer<UInt16>

    /// - Parameters:
    ///   - count: at least so many; 0: none.
    ///   - sockets: among which they are divided.
    ///   - write: makes the request for a socket with an identifier; returns its octets' count.
    init(count: Int, sockets: Int, write: (_ identifier: UInt8, _ memory: UnsafeMutableBufferPointer<UInt8>) -> Int) {
        let share = (count + sockets - 1) / sockets
        perSocket = (share + Self.identifiers - 1) / Self.identifiers * Self.identifiers
        self.sockets = sockets
        let total = perSocket * sockets
        starts = .allocate(capacity: total + 1)
        replies = .allocate(capacity: max(1, total * Self.replyCapacity))
        replyCounts = .allocate(capacity: max(1, total))
        replyCounts.initialize(repeating: 0, count: total)
        let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: LoadLanes.packetCapacity)
        defer { scratch.deallocate() }
        var all: [UInt8] = []
        for position in 0..<total {
            starts[position] = all.count
            // perSocket is a multiple of 256, so that the identifier follows from the place.
            let length = write(UInt8(truncatingIfNeeded: position), scratch)
            all.append(contentsOf: scratch[0..<length])
        }
        starts[total] = all.count
        octets = .allocate(capacity: max(1, all.count))
        octets.initialize(from: all, count: all.count)
    }

    deinit {
        octets.deallocate()
        starts.deallocate()
        replies.deallocate()
        replyCounts.deallocate()
    }

    var isEmpty: Bool { perSocket == 0 }

    private func place(_ socket: Int, _ turn: Int) -> Int { socket * perSocket + turn % perSocket }

    /// The request of a socket's turn; its identifier is the turn's lowest octet.
    func request(_ socket: Int, _ turn: Int) -> UnsafeMutableBufferPointer<UInt8> {
        let start = starts[place(socket, turn)]
        return UnsafeMutableBufferPointer(start: octets + start, count: starts[place(socket, turn) + 1] - start)
    }

    /// Whether `datagram` has the octets that verified before as the reply to this turn's request.
    func hasVerified(_ datagram: UnsafeBufferPointer<UInt8>, _ socket: Int, _ turn: Int) -> Bool {
        let place = place(socket, turn)
        guard datagram.count == Int(replyCounts[place]), let came = datagram.baseAddress else { return false }
        return memcmp(came, replies + place * Self.replyCapacity, datagram.count) == 0
    }

    /// Keeps a reply that verified.
    func keep(_ datagram: UnsafeBufferPointer<UInt8>, _ socket: Int, _ turn: Int) {
        guard datagram.count <= Self.replyCapacity, let came = datagram.baseAddress else { return }
        let place = place(socket, turn)
        (replies + place * Self.replyCapacity).update(from: came, count: datagram.count)
        replyCounts[place] = UInt16(datagram.count)
    }
}
