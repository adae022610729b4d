import Database

/// A business object, described once: routes, validation, OpenAPI, filters, audit and import follow from this value.
public struct Resource: Sendable {
    /// What can be done with it over HTTP.
    public enum Verb: String, Sendable, CaseIterable {
        case list, get, create, update, delete
    }

    /// Whose rows its table holds.
    public enum Scope: Sendable {
        /// The caller's tenant's, under row-level security.
        case tenant
        /// The installation's; only an operator of the whole installation may touch them.
        case platform
    }

    /// In the singular, lower case with underscores: `access_policy`.
    public let name: String
    /// In addresses: `access-policy`.
    public let path: String
    /// The domain folder, and the first half of its scopes: `aaa` gives `aaa:read` and `aaa:write`.
    public let domain: String
    /// Schema and table, or a view.
    public let table: String
    public let scope: Scope
    /// The column that identifies a row; empty when several do together.
    public let key: String
    /// Fields that order a list where nothing is asked, `-` before one that descends; they order it wholly.
    public let order: [String]
    /// The unique field that may stand for the id in addresses and references.
    public let nameField: String?
    /// One row a tenant, at the collection's own address.
    public let isSingleton: Bool
    public let verbs: Set<Verb>
    public let fields: [Field]
    /// What a table of them shows.
    public let list: [String]
    public let actions: [Action]
    /// Constraints whose names do not tell their field.
    public let constraints: [String: String]
    /// Constraints over several fields, and what to do.
    public let remedies: [String: Problem.Fault]
    public let summary: String
    /// Rows without a `version` column have no ETag and cannot be changed.
    public let isVersioned: Bool
    public let shortcuts: [Shortcut]
    let rules: Rules

    init(
        _ name: String, in domain: String, table: String, summary: String, path: String? = nil, scope: Scope = .tenant,
        key: String = "id", order: [String] = ["id"], nameField: String? = nil, isSingleton: Bool = false,
        verbs: Set<Verb> = Set(Verb.allCases),
        isVersioned: Bool = true, fields: [Field], list: [String], actions: [Action] = [], constraints: [String: String] = [:],
        remedies: [String: Problem.Fault] = [:], shortcuts: [Shortcut] = [], rules: Rules = Rules()
    ) {
        self.name = name
        self.domain = domain
        self.table = table
        self.summary = summary
        self.path = path ?? name.replacing("_", with: "-") + "s"
        self.scope = scope
        self.key = key
        self.order = order
        self.nameField = nameField
        self.isSingleton = isSingleton
        self.verbs = verbs
        self.isVersioned = isVersioned
        self.fields = fields
        self.list = list
        self.actions = actions
        self.constraints = constraints
        self.remedies = remedies
        self.shortcuts = shortcuts
        self.rules = rules
    }

    /// The field called `name`.
    public func field(_ name: String) -> Field? {
        fields.first { $0.name == name }
    }

    /// The name as people read and type it: `access-policy`.
    var noun: String { name.replacing("_", with: "-") }

    /// Answers begin with an id.
    var hasID: Bool { !isSingleton && !key.isEmpty }

    var hasReferences: Bool {
        fields.contains {
            if case .reference = $0.kind { return true }
            return $0.expression != nil
        }
    }

    func permission(_ isWrite: Bool) -> String {
        domain + (isWrite ? ":write" : ":read")
    }
}

/// A query parameter that reads better than the filter it stands for: `since=1h` for `at[gte]=1h`.
public struct Shortcut: Sendable {
    enum Meaning: Sendable {
        case filter(field: String, FilterOperator)
        /// A condition over the alias `t` in which `?` is the value, read as one of `field`.
        case condition(String, field: Field)
    }

    public let name: String
    public let summary: String
    let meaning: Meaning

    init(_ name: String, _ meaning: Meaning, summary: String) {
        self.name = name
        self.meaning = meaning
        self.summary = summary
    }
}

/// What a resource does beyond storing its fields.
struct Rules: Sendable {
    /// Checks the members of a body beyond each field; `isCreation` tells a new resource from a change.
    var check: @Sendable (_ exchange: Exchange, _ members: [JSON.Member], _ isCreation: Bool) -> [Problem.Fault] = { _, _, _ in [] }
    /// Checks a stored row in the transaction that stored it; faults undo it.
    var verify: (@Sendable (_ exchange: Exchange, _ connection: Connection, _ id: Int64) throws -> [Problem.Fault])?
    /// Why a row must not be removed, in the transaction that would; nil when it may be.
    var refuseRemoval: (@Sendable (_ connection: Connection, _ id: Int64) throws -> String?)?
    /// Columns that are set on creation besides the fields, and members that are answered once with it.
    var onCreate: (@Sendable () throws -> Creation)?
    /// Runs after a change is committed when the query asks for it by `apply=true`; answers JSON text.
    var apply: (@Sendable (_ exchange: Exchange, _ id: Int64) async throws -> String)?

    /// What creation adds.
    struct Creation: Sendable {
        var columns: [Column] = []
        var once: [JSON.Member] = []
    }

    /// A column that no field fills.
    struct Column: Sendable {
        let name: String
        /// Its SQL type.
        let type: String
        let value: SQLValue
    }
}

/// Something to do with a resource that is no change of its fields; always a POST.
public struct Action: Sendable {
    public enum Place: Sendable {
        /// `/api/v1/<path>/{id}/<name>`.
        case item
        /// `/api/v1/<path>/<name>`.
        case collection
    }

    public let name: String
    public let place: Place
    public let summary: String
    /// It changes something: needs the write scope.
    public let isWrite: Bool
    /// Query parameters that it takes, with their meaning.
    public let parameters: [(name: String, summary: String)]
    /// The media type of its body; nil when it takes none.
    public let mediaType: String?
    public let bodyLimit: Int
    /// The scope that it needs; nil: its resource's.
    public let permission: String?
    let run: @Sendable (_ exchange: Exchange, _ subject: Subject) async throws -> Answer

    init(
        _ name: String, on place: Place = .item, summary: String, isWrite: Bool = true, parameters: [(name: String, summary: String)] = [],
        mediaType: String? = nil, bodyLimit: Int = Exchange.bodyLimit, permission: String? = nil,
        run: @escaping @Sendable (_ exchange: Exchange, _ subject: Subject) async throws -> Answer
    ) {
        self.name = name
        self.place = place
        self.summary = summary
        self.isWrite = isWrite
        self.parameters = parameters
        self.mediaType = mediaType
        self.bodyLimit = bodyLimit
        self.permission = permission
        self.run = run
    }

    /// What an action is done to: the row's id and unique name; a collection action has id 0.
    struct Subject: Sendable {
        var id: Int64 = 0
        var name = ""
    }
}
