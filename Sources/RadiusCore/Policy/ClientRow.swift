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
    /// The NAS-Identifier of its packets, UTF-8; empty: any.
    let identifier: UnsafeRawBufferPointer
    /// One number for all rows of its address.
    fileprivate(set) var place: Int64
    /// Whose share of an overloaded worker it has: its own, or where it shares an address, one of at most eight that all rows there have.
    /// Who sends for a row is not proven when shares are dealt out, so an address must not get as many as it has rows; and what no
    /// NAS-Identifier takes must not use up the shares of those that one takes.
    fileprivate(set) var share: Int64
    /// Tells its requests in the reply cache from those of others at its address; 0 where the address alone leads to it.
    fileprivate(set) var mark: UInt64 = 0
    private let owner: Unmanaged<NASClient>

    /// - Parameters:
    ///   - client: outlives the row.
    ///   - name: octets of its name, that outlive the row, too.
    ///   - huntgroup: of its huntgroup, likewise.
    ///   - identifier: of its NAS-Identifier, likewise.
    init(_ client: NASClient, name: UnsafeRawBufferPointer, huntgroup: UnsafeRawBufferPointer, identifier: UnsafeRawBufferPointer) {
        self.name = name
        self.huntgroup = huntgroup
        self.identifier = identifier
        id = client.id
        place = client.id
        share = client.id
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

    /// NAS-Identifier says which row of the address a packet is for.
    var isShared: Bool { mark != 0 }

    /// The client itself, for what is not done for each packet.
    var client: NASClient { owner.takeUnretainedValue() }

    /// Runs `body` on the client without counting a reference.
    @inline(__always)
    func withClient<Result>(_ body: (NASClient) -> Result) -> Result { owner._withUnsafeGuaranteedRef { body($0) } }
}

/// Rows of clients and open-addressing tables over them. Immutable.
///
/// An address, or a network, has one row as a rule. Several share it when all but one have a NAS-Identifier: it then leads to the one
/// without, or else to the first of them, and from there the identifier leads on.
final class ClientRows: @unchecked Sendable {
    // Guard: written only while it is made. The clients that the rows point to are kept alive by `clients` and `others`.
    let clients: [NASClient]
    private let others: [NASClient]
    /// Each client, then each as it is behind TLS, then each as it is behind DTLS, in the same order.
    private let rows: UnsafeMutablePointer<ClientRow>
    /// 1 + the position of a row, or 0.
    private let slots: UnsafeMutablePointer<UInt32>
    private let mask: Int
    /// The same of rows with a NAS-Identifier, by their place and that.
    private let namedSlots: UnsafeMutablePointer<UInt32>
    private let namedMask: Int
    /// Prefix lengths in use, longest first.
    private let lengths: UnsafeMutableBufferPointer<Int>
    private let texts: UnsafeMutableRawPointer
    private let positions: [Int64: Int]

    init(_ clients: [NASClient]) {
        self.clients = clients
        positions = [Int64: Int](clients.enumerated().map { ($1.id, $0) }) { first, _ in first }
        let transports = StreamTransport.allCases.filter(\.isProtected)
        others = transports.flatMap { transport in clients.map { NASClient($0, behind: transport) } }
        rows = .allocate(capacity: max(1, clients.count + others.count))
        (slots, mask) = Self.table(clients.count)
        (namedSlots, namedMask) = Self.table(clients.count { !$0.identifier.isEmpty })
        let found = Set(clients.map(\.prefixLength)).sorted(by: >)
        lengths = .allocate(capacity: found.count)
        _ = lengths.initialize(from: found)
        let octets = clients.reduce(0) { $0 + $1.name.utf8.count + $1.huntgroup.utf8.count + $1.identifier.utf8.count }
        texts = .allocate(byteCount: max(1, octets), alignment: 1)
        var end = texts
        for (position, client) in clients.enumerated() {
            let (name, huntgroup) = (Self.keep(client.name, at: &end), Self.keep(client.huntgroup, at: &end))
            let identifier = Self.keep(client.identifier, at: &end)
            (rows + position).initialize(to: ClientRow(client, name: name, huntgroup: huntgroup, identifier: identifier))
            for other in stride(from: position, to: others.count, by: clients.count) {
                (rows + clients.count + other).initialize(
                    to: ClientRow(others[other], name: name, huntgroup: huntgroup, identifier: identifier))
            }
        }
        for (position, client) in clients.enumerated() where client.identifier.isEmpty { place(position) }
        var joined: [Int64: Int64] = [:]
        for (position, client) in clients.enumerated() where !client.identifier.isEmpty { join(position, &joined) }
    }

    private static func table(_ count: Int) -> (slots: UnsafeMutablePointer<UInt32>, mask: Int) {
        var size = 16
        while size < count * 2 { size *= 2 }
        let slots = UnsafeMutablePointer<UInt32>.allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        return (slots, size - 1)
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
        namedSlots.deallocate()
        lengths.deallocate()
        texts.deallocate()
    }

    /// Of two clients with one prefix, and without NAS-Identifier, the later one stands.
    private func place(_ position: Int) {
        slots[slot(of: rows[position].network, rows[position].prefixLength)] = UInt32(position + 1)
    }

    /// Shares that the rows of one place have: one is for the row without a NAS-Identifier.
    private static let shares: Int64 = 8

    /// The share of what no NAS-Identifier takes at the place of `row`, whether a client takes it or nobody.
    static func shareOfRest(_ row: UnsafePointer<ClientRow>) -> Int64 { -row.pointee.place * shares }

    /// Puts a client with a NAS-Identifier beside the others of its prefix; `joined` counts those of each place.
    private func join(_ position: Int, _ joined: inout [Int64: Int64]) {
        let slot = slot(of: rows[position].network, rows[position].prefixLength)
        if slots[slot] == 0 { place(position) }
        let head = Int(slots[slot] - 1)
        let place = rows[head].place
        rows[position].place = place
        for shared in [head, position] { rows[shared].mark = Self.mark(rows[shared].id) }
        let rest = Self.shareOfRest(rows + head)
        if rows[head].identifier.isEmpty { rows[head].share = rest }
        rows[position].share = rest - 1 - joined[place, default: 0] % (Self.shares - 1)
        joined[place, default: 0] += 1
        var named = Self.hash(rows[position].identifier, at: place) & namedMask
        while namedSlots[named] != 0, !isNamed(Int(namedSlots[named] - 1), rows[position].identifier, at: place) {
            named = (named + 1) & namedMask
        }
        namedSlots[named] = UInt32(position + 1)
    }

    /// Where a prefix stands, or would stand.
    private func slot(of network: IPAddress, _ length: Int) -> Int {
        var slot = Self.hash(network, length) & mask
        while slots[slot] != 0 {
            let row = rows + Int(slots[slot] - 1)
            if row.pointee.network == network, row.pointee.prefixLength == length { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// The row of the longest prefix that holds `source`, which `choose` goes on from where it is shared.
    func first(_ source: IPAddress) -> UnsafePointer<ClientRow>? {
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

    /// The row of the longest prefix that holds `source`, for one that shows no NAS-Identifier, as a connection does not.
    func find(_ source: IPAddress) -> UnsafePointer<ClientRow>? {
        first(source).flatMap { $0.pointee.identifier.isEmpty ? $0 : nil }
    }

    /// Of the rows that share the place of `row` the one with the NAS-Identifier that is given, or else the one without.
    func choose(_ row: UnsafePointer<ClientRow>, _ identifier: UnsafeRawBufferPointer) -> UnsafePointer<ClientRow>? {
        let place = row.pointee.place
        var slot = Self.hash(identifier, at: place) & namedMask
        while !identifier.isEmpty, namedSlots[slot] != 0 {
            let position = Int(namedSlots[slot] &- 1)
            if isNamed(position, identifier, at: place) { return UnsafePointer(rows + position) }
            slot = (slot &+ 1) & namedMask
        }
        return row.pointee.identifier.isEmpty ? row : nil
    }

    private func isNamed(_ position: Int, _ identifier: UnsafeRawBufferPointer, at place: Int64) -> Bool {
        let row = rows + position
        return row.pointee.place == place && row.pointee.identifier.elementsEqual(identifier)
    }

    /// The row of the client with this number. Off the packet path.
    func find(id: Int64) -> UnsafePointer<ClientRow>? { positions[id].map { UnsafePointer(rows + $0) } }

    /// The row of the same client for what comes over `transport`.
    func row(_ row: UnsafePointer<ClientRow>, over transport: StreamTransport) -> UnsafePointer<ClientRow> {
        row + transport.rawValue * clients.count
    }

    private static func hash(_ identifier: UnsafeRawBufferPointer, at place: Int64) -> Int {
        Int(truncatingIfNeeded: SubscriberIndex.hash(tenant: place, identifier, seed: 0))
    }

    /// A number of a row that is not 0, and differs from those of all others.
    private static func mark(_ id: Int64) -> UInt64 { (UInt64(bitPattern: id) &* 0x9e37_79b9_7f4a_7c15) | 1 << 63 }

    private static func hash(_ network: IPAddress, _ length: Int) -> Int {
        var mixed = (network.high ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15 ^ network.low
        mixed = (mixed ^ mixed &>> 32) &* 0xd6e8_feb8_6659_fd93
        return Int(truncatingIfNeeded: mixed ^ mixed &>> 32)
    }
}
