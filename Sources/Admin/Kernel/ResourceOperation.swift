internal import Crypto
import Database

/// Answers the five verbs of a resource.
struct ResourceOperation: Sendable {
    let resource: Resource
    let registry: Registry
    let exchange: Exchange

    private var store: ResourceStore { ResourceStore(resource: resource, registry: registry, exchange: exchange) }
    private var audit: Audit { Audit(exchange: exchange, resource: resource) }

    /// Thrown to roll a rehearsed change back after its answer is known.
    private struct Rehearsed: Error {
        let answer: Answer
    }

    /// `GET` of the collection.
    func list(signedBy key: SymmetricKey) async throws -> Answer {
        let query = try ListQuery(exchange, resource)
        let scope = "\(exchange.principal.tenant) \(resource.name) \(query.signature)"
        let cursor = try exchange.parameter("cursor").map { text throws(Problem) in
            try Cursor(text, scope: scope, key: key, count: query.order.count)
        }
        let store = store
        let page = try await transaction(readOnly: true) { try store.page(query, after: cursor, scope: scope, key: key, $0) }
        var answer = Answer(body: page.document)
        if let next = page.next { answer = answer.with(header: "Link", "<\(nextTarget(next))>; rel=\"next\"") }
        return answer
    }

    private func nextTarget(_ cursor: String) -> String {
        let path = exchange.target.prefix { $0 != "?" }
        let kept = exchange.query.filter { $0.name != "cursor" }.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
        return path + "?" + (kept + ["cursor=" + cursor]).joined(separator: "&")
    }

    /// `GET` of one.
    func read(_ key: RowKey) async throws -> Answer {
        try exchange.allow([])
        let store = store
        let stored = try await transaction(readOnly: key != .only) { try store.find(key, $0) }
        let matches = exchange.header("If-None-Match").map { $0.split(separator: ",").map(Field.trimmed) } ?? []
        if resource.isVersioned, !resource.hasReferences, matches.contains(stored.etag) || matches == ["*"] {
            return Answer(status: 304).with(header: "ETag", stored.etag)
        }
        return answer(stored)
    }

    /// `POST` to the collection.
    func create() async throws -> Answer {
        try exchange.allow(["dry_run"])
        let isRehearsal = try exchange.flag("dry_run")
        let (store, audit) = (store, audit)
        let draft = try Draft(try body(), resource, isCreation: true, exchange)
        let idempotency = try Idempotency(exchange)
        let extra = try resource.rules.onCreate?() ?? Rules.Creation()
        if !extra.once.isEmpty, idempotency != nil {
            throw Problem.badRequest("a \(resource.noun) shows a secret once, so its answer is not kept: leave Idempotency-Key out")
        }
        return try await rehearsable {
            try await transaction { connection in
                if let earlier = try idempotency?.claim(connection) { return earlier }
                let stored = try store.insert(draft, extra.columns, connection)
                try verify(stored, connection)
                var answer = self.answer(stored, status: 201, adding: isRehearsal ? [] : extra.once)
                answer = answer.with(header: "Location", "/api/v1/\(resource.path)/\(resource.segment(stored.id))")
                try idempotency?.keep(answer, connection)
                try audit.record(
                    "create", id: stored.id, name: stored.name, before: nil, after: stored.json, secrets: draft.secrets, connection)
                if isRehearsal { throw Rehearsed(answer: Self.rehearsal(before: nil, after: try Self.withoutID(stored.json))) }
                return answer
            }
        }
    }

    /// `PATCH` of one (RFC 7396).
    func update(_ key: RowKey) async throws -> Answer {
        try exchange.allow(resource.rules.apply == nil ? ["dry_run"] : ["dry_run", "apply"])
        let isRehearsal = try exchange.flag("dry_run")
        let applies = try resource.rules.apply != nil && exchange.flag("apply")
        let (store, audit) = (store, audit)
        _ = try store.requireMatch()
        let draft = try Draft(try body(), resource, isCreation: false, exchange)
        let stored = try await rehearsable {
            try await transaction { connection in
                let before = try store.find(key, connection, lockedFor: .change)
                try store.checkMatch(before)
                let after = try store.update(before, draft, connection)
                if after.version != before.version {
                    try verify(after, connection)
                    try audit.record(
                        "update", id: after.id, name: after.name, before: before.json, after: after.json, secrets: draft.secrets, connection
                    )
                }
                if isRehearsal { throw Rehearsed(answer: Self.rehearsal(before: before.json, after: after.json)) }
                return Outcome.stored(after)
            }
        } rehearsed: {
            Outcome.answer($0)
        }
        guard case .stored(let after) = stored else { return stored.rehearsal }
        guard applies, let apply = resource.rules.apply else { return answer(after) }
        let outcome = try await Self.service { try await apply(exchange, after.id) }
        return answer(after, addingText: ",\"applied\":" + outcome)
    }

    private enum Outcome: Sendable {
        case stored(ResourceStore.Stored)
        case answer(Answer)

        var rehearsal: Answer {
            guard case .answer(let answer) = self else { return Answer() }
            return answer
        }
    }

    /// `DELETE` of one.
    func delete(_ key: RowKey) async throws -> Answer {
        try exchange.allow(["dry_run"])
        let isRehearsal = try exchange.flag("dry_run")
        let (store, audit) = (store, audit)
        _ = try store.requireMatch()
        return try await rehearsable {
            try await transaction { connection in
                let before = try store.find(key, connection, lockedFor: .removal)
                try store.checkMatch(before)
                if let why = try resource.rules.refuseRemoval?(connection, before.id) { throw Problem.conflict(why) }
                try store.delete(before, connection)
                try audit.record("delete", id: before.id, name: before.name, before: before.json, after: nil, connection)
                if isRehearsal { throw Rehearsed(answer: Self.rehearsal(before: before.json, after: nil)) }
                return Answer(status: 204)
            }
        }
    }

    /// The row that an action is done to.
    func subject(_ key: RowKey) async throws -> Action.Subject {
        let store = store
        let stored = try await transaction(readOnly: true) { try store.find(key, $0) }
        return Action.Subject(id: stored.id, name: stored.name)
    }

    // MARK: Pieces

    private func verify(_ stored: ResourceStore.Stored, _ connection: Connection) throws {
        guard let faults = try resource.rules.verify?(exchange, connection, stored.id), !faults.isEmpty else { return }
        throw Problem.invalid(faults)
    }

    private func body() throws -> JSON {
        guard !exchange.body.isEmpty else { throw Problem.badRequest("a JSON object is expected as the body") }
        do {
            return try JSONParser.parse(exchange.body)
        } catch {
            throw Problem.badJSON(error)
        }
    }

    private func transaction<T: Sendable>(
        readOnly: Bool = false, _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        do {
            return try await exchange.services.pool.transaction(.tenant(exchange.principal.tenant), readOnly: readOnly, body)
        } catch let error as DatabaseError {
            throw Problem(error, resource, in: registry) ?? error
        }
    }

    private func rehearsable(_ body: () async throws -> Answer) async throws -> Answer {
        try await rehearsable(body) { $0 }
    }

    private func rehearsable<T>(_ body: () async throws -> T, rehearsed: (Answer) -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as Rehearsed {
            return rehearsed(error.answer)
        }
    }

    private static func rehearsal(before: String?, after: String?) -> Answer {
        Answer.json("{\"dry_run\":true,\"before\":\(before ?? "null"),\"after\":\(after ?? "null")}")
    }

    /// A row that is not kept has none: another will get it, or nobody.
    private static func withoutID(_ json: String) throws -> String {
        let members = try JSONParser.parse(Array(json.utf8)).members ?? []
        return String(decoding: JSON.object(members.filter { $0.name != "id" }).bytes, as: UTF8.self)
    }

    private func answer(_ stored: ResourceStore.Stored, status: Int = 200, adding members: [JSON.Member] = []) -> Answer {
        let text = members.map { "," + String(decoding: JSON.object([$0]).bytes.dropFirst().dropLast(), as: UTF8.self) }.joined()
        return answer(stored, status: status, addingText: text)
    }

    private func answer(_ stored: ResourceStore.Stored, status: Int = 200, addingText text: String) -> Answer {
        let answer = Answer.json(stored.json.dropLast() + text + "}", status: status)
        return resource.isVersioned ? answer.with(header: "ETag", stored.etag) : answer
    }

    /// Turns what a service throws into what is answered.
    static func service<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let failure as ServiceFailure {
            throw Problem(failure)
        }
    }
}

extension Problem {
    init(_ failure: ServiceFailure) {
        switch failure {
        case .notFound(let what, let note): self = .notFound(what, note: note)
        case .conflict(let why): self = .conflict(why)
        case .unavailable(let why): self = .unavailable(why)
        case .refused(let why): self = Problem(422, "refused", "This is not possible", why)
        }
    }
}
