import Database
import RadiusCore

/// Turns rows of `SubscriberRows` into what the index stores. For one load or one batch of changes; confined to the feed's thread.
///
/// A subscriber with nothing but password, profile and address is handed on without a copy; whoever has more goes a longer way.
struct SubscriberCompiler {
    typealias Sink = (SubscriberEntry, SubscriberParts) -> Void

    private let dictionary: RadiusDictionary
    private let opener: SecretOpener
    private let locks: [Int64: LockSet]
    private let throttles: [Int64: Int64]
    private let limits: [Int64: QuotaLimit]
    /// Reply attributes that are encrypted for each packet, by subscriber.
    private(set) var keyed: [Int64: [ReplyAttribute]] = [:]
    /// What could not be compiled and why, by subscriber.
    private(set) var problems: [Int64: [String]] = [:]
    /// Subscribers with problems beyond those in `problems`.
    private(set) var unlisted = 0

    /// So many subscribers' problems are told apart; a key file that was lost would make one of each.
    private static let listed = 10_000

    /// Of `rows`: the locks, throttles and limits of the named subscribers, or of all.
    init(dictionary: RadiusDictionary, opener: SecretOpener, _ rows: SubscriberRows, of ids: [Int64]? = nil) throws {
        self.dictionary = dictionary
        self.opener = opener
        locks = try rows.locks(of: ids)
        throttles = try rows.throttles(of: ids)
        limits = try rows.limits(of: ids)
    }

    /// Compiles one row and lends the result to `sink`.
    mutating func compile(_ row: CopyRow, _ sink: Sink) throws {
        var entry = SubscriberEntry()
        entry.id = try row.int64(0)
        entry.tenant = try row.int64(1)
        entry.profile = row.isNull(6) ? 0 : try row.int64(6)
        if !throttles.isEmpty, let slower = throttles[entry.id] { (entry.ownProfile, entry.profile) = (entry.profile, slower) }
        if !limits.isEmpty { entry.quotaLimit = limits[entry.id] }
        if !row.isNull(5) { entry.status = SubscriberStatus(name: try row.string(5)) ?? .suspended }
        if !locks.isEmpty, let held = locks[entry.id] { entry.locks = held }
        if !row.isNull(21) { entry.card = try card(row, entry) }
        if !row.isNull(22) { entry.bindings = try bindings(row, entry) }
        var parts = SubscriberParts(name: try row.bytes(2))
        // What `credential` lends is valid until the next row.
        var hash: [UInt8] = []
        if let clear = try credential(row, &entry) {
            parts.credential = clear
            if entry.credentialKind == .ntHash { hash = ntHash(clear, &entry) }
        }
        try hash.withUnsafeBytes { octets in
            if entry.credentialKind == .ntHash || !hash.isEmpty { parts.credential = octets }
            try addAttributes(row, entry, parts, sink)
        }
    }

    /// The clear octets of the credential, its kind noted in `entry`; nil without one that opens.
    private mutating func credential(_ row: CopyRow, _ entry: inout SubscriberEntry) throws -> UnsafeRawBufferPointer? {
        guard let sealed = try row.optionalBytes(3) else { return nil }
        do {
            let clear = try opener.open(sealed)
            entry.credentialKind = row.isNull(4) ? .clearText : try row.string(4) == "hash" ? .hash : .ntHash
            return clear
        } catch let error as SecretError {
            note(entry, "\(error)")
            return nil
        }
    }

    /// What a SIM card has in common with us; empty, and noted, when it does not open or cannot be read.
    private mutating func card(_ row: CopyRow, _ entry: SubscriberEntry) throws -> [UInt8] {
        guard let sealed = try row.optionalBytes(21) else { return [] }
        do {
            return try SIMCredential(text: String(decoding: opener.open(sealed), as: UTF8.self)).octets
        } catch let error as SecretError {
            note(entry, "its SIM credential: \(error)")
        } catch let fault as SIMCredential.Fault {
            note(entry, "its SIM credential cannot be used: \(fault.sentence)")
        }
        return []
    }

    /// What it is bound to.
    private mutating func bindings(_ row: CopyRow, _ entry: SubscriberEntry) throws -> [UInt8] {
        let bindings = BindingColumn.bindings(try row.strings(22))
        for problem in bindings.problems { note(entry, problem) }
        return bindings.encoded
    }

    /// The hash that 32 hex digits stand for; empty, and the kind taken back, when they do not.
    private mutating func ntHash(_ digits: UnsafeRawBufferPointer, _ entry: inout SubscriberEntry) -> [UInt8] {
        guard let hash = Hexadecimal.octets(digits), hash.count == 16 else {
            note(entry, "the stored NT hash is not 32 hex digits")
            entry.credentialKind = .none
            return []
        }
        return hash
    }

    private mutating func addAttributes(
        _ row: CopyRow, _ entry: SubscriberEntry, _ parts: SubscriberParts, _ sink: Sink
    ) throws {
        var parts = parts
        guard !row.isNull(7) else { return try addRest(row, entry, parts, [], sink) }
        let address = try row.inet(7).address
        guard address.count == 4 else { return try addRest(row, entry, parts, [], sink) }
        let attribute = (AttributeNumber.framedIPAddress, UInt8(6), address[0], address[1], address[2], address[3])
        guard row.areNull(8...20) else {
            return try withUnsafeBytes(of: attribute) { try addRest(row, entry, parts, Array($0), sink) }
        }
        withUnsafeBytes(of: attribute) { octets in
            parts.identity = octets
            sink(entry, parts)
        }
    }

    /// Hands on a subscriber with anything beyond an address, or without one.
    private mutating func addRest(
        _ row: CopyRow, _ plain: SubscriberEntry, _ plainParts: SubscriberParts, _ address: [UInt8], _ sink: Sink
    ) throws {
        var (entry, parts) = (plain, plainParts)
        entry.sessionTimeoutSeconds = try seconds(row, 12)
        entry.idleTimeoutSeconds = try seconds(row, 13)
        entry.interimSeconds = try seconds(row, 14)
        // 0 stands for none, so that the first second of 1970 is the next one.
        if !row.isNull(18) { entry.expiresSeconds = UInt32(clamping: max(1, try row.int64(18))) }
        entry.validitySeconds = try seconds(row, 19)
        entry.authenticatesByMAC = !row.isNull(20)
        let identity = try identity(row, entry)
        let service = try service(row, &entry)
        (address + identity).withUnsafeBytes { identity in
            service.withUnsafeBytes { service in
                parts.identity = identity
                parts.service = service
                if identity.count > SubscriberParts.largestAttributes || service.count > SubscriberParts.largestAttributes {
                    note(entry, "its reply attributes are too large; it cannot log in")
                }
                sink(entry, parts)
            }
        }
    }

    private func seconds(_ row: CopyRow, _ column: Int) throws -> UInt32 {
        row.isNull(column) ? 0 : UInt32(clamping: try row.int32(column))
    }

    /// Prefixes and VLANs.
    private mutating func identity(_ row: CopyRow, _ entry: SubscriberEntry) throws -> [UInt8] {
        var identity = CompiledAttributes()
        if !row.isNull(8) { identity.append("Framed-IPv6-Prefix", try row.string(8), dictionary) }
        if !row.isNull(9) { identity.append("Delegated-IPv6-Prefix", try row.string(9), dictionary) }
        for (tag, column) in [(1, 10), (2, 11)] where !row.isNull(column) {
            identity.append("Tunnel-Type:\(tag)", "13", dictionary)
            identity.append("Tunnel-Medium-Type:\(tag)", "6", dictionary)
            identity.append("Tunnel-Private-Group-Id:\(tag)", "\(try row.int32(column))", dictionary)
        }
        for problem in identity.problems { note(entry, problem) }
        return identity.encoded
    }

    /// Free attributes, routes and filters.
    private mutating func service(_ row: CopyRow, _ entry: inout SubscriberEntry) throws -> [UInt8] {
        guard !(row.isNull(15) && row.isNull(16) && row.isNull(17)) else { return [] }
        var found: [String] = []
        let attributes = SnapshotReader.attributes(try row.strings(17), problems: &found)
        found += attributes.compactMap { $0.vendor == nil ? nil : "\($0.name): only a profile's attribute may name a vendor" }
        var service = CompiledAttributes(attributes, for: nil, dictionary: dictionary)
        for route in try row.strings(15) {
            service.append(route.contains(":") ? "Framed-IPv6-Route" : "Framed-Route", route, dictionary)
        }
        let filters = try row.strings(16)
        for filter in filters { service.append("Filter-Id", filter, dictionary) }
        entry.replacesFilters = !filters.isEmpty
        entry.hasKeyedAttributes = !service.keyed.isEmpty
        if !service.keyed.isEmpty { keyed[entry.id] = service.keyed }
        for problem in found + service.problems { note(entry, problem) }
        return service.encoded
    }

    private mutating func note(_ entry: SubscriberEntry, _ problem: String) {
        guard problems.count < Self.listed || problems[entry.id] != nil else {
            unlisted += 1
            return
        }
        problems[entry.id, default: []].append("subscriber \(entry.id): \(problem)")
    }
}
