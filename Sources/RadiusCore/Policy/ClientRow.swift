/// What the packet path needs of a NAS client, as plain octets: reading it counts no references.
///
/// Valid while the `ClientTable` that it came from is alive; read by any thread.
struct ClientRow: BitwiseCopyable {
    let id: Int64
    let tenant: Int64
    let network: IPAddress
    let prefixLength: Int
    let vendor: NASVendor
    let sendsMessageAuthenticator: Bool
    /// 0: none.
    let rateLimitPerSecond: UInt32
    /// The secret fits behind a packet in its slot, where it is digested in place.
    let isBatched: Bool
    let key: SecretRow
    /// UTF-8.
    let name: UnsafeRawBufferPointer
    /// UTF-8; empty for none.
    let huntgroup: UnsafeRawBufferPointer
    private let owner: Unmanaged<NASClient>

    /// - Parameters:
    ///   - client: outlives the row.
    ///   - name: octets of its name, that outlive the row, too.
    ///   - huntgroup: of its huntgroup, likewise.
    init(_ client: NASClient, name: UnsafeRawBufferPointer, huntgroup: UnsafeRawBufferPointer) {
        self.name = name
        self.huntgroup = huntgroup
        id = client.id
        tenant = client.tenant
        network = client.network
        prefixLength = client.prefixLength
        vendor = client.vendor
        sendsMessageAuthenticator = client.sendsMessageAuthenticator
        rateLimitPerSecond = client.rateLimitPerSecond
        isBatched = client.secret.bytes.count <= DatagramArena.longestSecret
        key = client.secret.row
        owner = Unmanaged.passUnretained(client)
    }

    /// The client itself, for what is not done for each packet.
    var client: NASClient { owner.takeUnretainedValue() }

    /// Runs `body` on the client without counting a reference.
    @inline(__always)
    func withClient<Result>(_ body: (NASClient) -> Result) -> Result { owner._withUnsafeGuaranteedRef { body($0) } }
}

/// Rows of clients and an open-addressing table over them. Immutable.
final class ClientRows: @unchecked Sendable {
    // Guard: written only while it is made. The clients that the rows point to are kept alive by `clients` and `behindTLS`.
    let clients: [NASClient]
    private let behindTLS: [NASClient]
    /// Each client, then each as it is behind TLS, in the same order.
    private let rows: UnsafeMutablePointer<ClientRow>
    /// 1 + the position of a row, or 0.
    private let slots: UnsafeMutablePointer<UInt32>
    private let mask: Int
    /// Prefix lengths in use, longest first.
    private let lengths: UnsafeMutableBufferPointer<Int>
    private let texts: UnsafeMutableRawPointer
    private let positions: [Int64: Int]

    init(_ clients: [NASClient]) {
        self.clients = clients
        positions = [Int64: Int](clients.enumerated().map { ($1.id, $0) }) { first, _ in first }
        behindTLS = clients.map { NASClient(behindTLS: $0) }
        rows = .allocate(capacity: max(1, 2 * clients.count))
        var size = 16
        while size < clients.count * 2 { size *= 2 }
        mask = size - 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        let found = Set(clients.map(\.prefixLength)).sorted(by: >)
        lengths = .allocate(capacity: found.count)
        _ = lengths.initialize(from: found)
        texts = .allocate(byteCount: max(1, clients.reduce(0) { $0 + $1.name.utf8.count + $1.huntgroup.utf8.count }), alignment: 1)
        var end = texts
        for (position, client) in clients.enumerated() {
            let (name, huntgroup) = (Self.keep(client.name, at: &end), Self.keep(client.huntgroup, at: &end))
            (rows + position).initialize(to: ClientRow(client, name: name, huntgroup: huntgroup))
            (rows + clients.count + position).initialize(to: ClientRow(behindTLS[position], name: name, huntgroup: huntgroup))
            place(position)
        }
    }

    /// Copies a text to `end`, and moves that behind it.
    private static func keep(_ text: String, at end: inout UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
        let octets = Array(text.utf8)
        octets.withUnsafeBytes { end.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(end), byteCount: $0.count) }
        defer { end += octets.count }
        return UnsafeRawBufferPointer(start: end, count: octets.count)
    }

    deinit {
        rows.deallocate()
        slots.deallocate()
        lengths.deallocate()
        texts.deallocate()
    }

    /// Of two clients with one prefix the later one stands.
    private func place(_ position: Int) {
        var slot = Self.hash(rows[position].network, rows[position].prefixLength) & mask
        while slots[slot] != 0 {
            let other = rows + Int(slots[slot] - 1)
            if other.pointee.network == rows[position].network, other.pointee.prefixLength == rows[position].prefixLength { break }
            slot = (slot + 1) & mask
        }
        slots[slot] = UInt32(position + 1)
    }

    /// The row of the longest prefix that holds `source`.
    func find(_ source: IPAddress) -> UnsafePointer<ClientRow>? {
        for length in lengths {
            let network = source.masked(to: length)
            var slot = Self.hash(network, length) & mask
            while slots[slot] != 0 {
                let row = rows + Int(slots[slot] &- 1)
                if row.pointee.network == network, row.pointee.prefixLength == length { return UnsafePointer(row) }
                slot = (slot &+ 1) & mask
            }
        }
        return nil
    }

    /// The row of the client with this number. Off the packet path.
    func find(id: Int64) -> UnsafePointer<ClientRow>? { positions[id].map { UnsafePointer(rows + $0) } }

    /// The row of the same client for what comes over TLS.
    func behindTLS(_ row: UnsafePointer<ClientRow>) -> UnsafePointer<ClientRow> { row + clients.count }

    private static func hash(_ network: IPAddress, _ length: Int) -> Int {
        var mixed = (network.high ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15 ^ network.low
        mixed = (mixed ^ mixed &>> 32) &* 0xd6e8_feb8_6659_fd93
        return Int(truncatingIfNeeded: mixed ^ mixed &>> 32)
    }
}
