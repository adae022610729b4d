/// All that was read from FreeRADIUS's files and tables, before anything is decided.
public struct FreeRADIUSSource: Sendable {
    public var users = SourceNames<SourceUser>()
    public var groups = SourceNames<SourceGroup>()
    /// Entries called DEFAULT in users files, in their order among all entries.
    public var defaults: [SourceEntry] = []
    public var clients: [SourceClient] = []
    /// Open rows of radacct, of which the first ones are remarked.
    public var openSessions = 0
    public var remarks: [Remark] = []
    /// Tables that dumps made, or had rows of.
    public var tables: Set<String> = []
    /// Entries of users files so far: their order is the order of evaluation.
    var entryCount = 0

    public init() {}

    /// Which of the tables about users and groups no dump has, where one has others of them: without one, users are let in that have
    /// another profile, or should not be let in.
    public var missingTables: [String] {
        let known = tables.contains("usergroup") ? tables.union(["radusergroup"]) : tables
        let missing = Self.tablesOfUsers.filter { !known.contains($0) }
        return missing.count < Self.tablesOfUsers.count ? missing : []
    }

    private static let tablesOfUsers = ["radcheck", "radreply", "radgroupcheck", "radgroupreply", "radusergroup"]

    mutating func add(_ entry: SourceEntry) {
        var entry = entry
        entry.position = entryCount
        entryCount += 1
        if entry.name == "DEFAULT" {
            defaults.append(entry)
        } else {
            users.change(entry.name, at: entry.place) { $0.entries.append(entry) }
        }
    }
}

/// Named things in the order in which their names were met first.
public struct SourceNames<Element: SourceNamed & Sendable>: Sendable {
    public private(set) var all: [Element] = []
    private var positions: [[UInt8]: Int] = [:]
    /// Positions by the name in lower case, of the first that has it; empty while case counts.
    private var folded: [[UInt8]: Int] = [:]
    /// From now on a name finds one that differs by case alone, as in MySQL's tables, unless there is exactly this one.
    public var foldsCase = false {
        didSet {
            guard foldsCase, !oldValue else { return }
            for (position, element) in all.enumerated() { fold(element.name, position) }
        }
    }

    public init() {}

    /// Octets, since a String takes composed and decomposed letters as equal.
    private func position(_ name: String) -> Int? {
        if let exact = positions[Array(name.utf8)] { return exact }
        return foldsCase ? folded[Array(name.lowercased().utf8)] : nil
    }

    private mutating func fold(_ name: String, _ position: Int) {
        let key = Array(name.lowercased().utf8)
        if folded[key] == nil { folded[key] = position }
    }

    public subscript(name: String) -> Element? { position(name).map { all[$0] } }

    /// Changes the element called `name`, made anew when there is none.
    mutating func change(_ name: String, at place: Place, _ body: (inout Element) -> Void) {
        if let position = position(name) { return body(&all[position]) }
        var element = Element(name: name, place: place)
        body(&element)
        positions[Array(name.utf8)] = all.count
        if foldsCase { fold(name, all.count) }
        all.append(element)
    }
}

/// What `SourceNames` holds.
public protocol SourceNamed {
    var name: String { get }
    init(name: String, place: Place)
}

/// A user as tables and files describe it.
public struct SourceUser: Sendable, SourceNamed {
    public let name: String
    /// Where the name was met first.
    public let place: Place
    public var check: [SourcePair] = []
    public var reply: [SourcePair] = []
    public var memberships: [Membership] = []
    /// Entries of users files.
    public var entries: [SourceEntry] = []

    public init(name: String, place: Place) {
        self.name = name
        self.place = place
    }

    /// A row of radusergroup.
    public struct Membership: Hashable, Sendable {
        public var group: String
        public var priority: Int
        public var place: Place
    }
}

public struct SourceGroup: Sendable, SourceNamed {
    public let name: String
    public let place: Place
    public var check: [SourcePair] = []
    public var reply: [SourcePair] = []

    public init(name: String, place: Place) {
        self.name = name
        self.place = place
    }
}

/// An entry of a users file.
public struct SourceEntry: Hashable, Sendable {
    public var name: String
    public var check: [SourcePair]
    public var reply: [SourcePair]
    public var place: Place
    /// Among all entries of all files.
    public var position = 0
}

/// A row of `nas`, or a `client` section.
public struct SourceClient: Hashable, Sendable {
    public var name: String
    public var address: String
    public var secret: String
    public var type = ""
    public var description = ""
    public var requireMessageAuthenticator = ""
    public var limitProxyState = ""
    /// Settings that mean nothing here: name and value.
    public var others: [Other] = []
    public var place: Place

    public struct Other: Hashable, Sendable {
        public var name: String
        public var value: String
    }

    public init(name: String, address: String, secret: String, at place: Place) {
        self.name = name
        self.address = address
        self.secret = secret
        self.place = place
    }
}
