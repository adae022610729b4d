import FreeRADIUSImport
import RadiusCore

/// Brings the daemon's profiles, subscribers and NASes to what a plan says, through the interface, and counts what that took.
struct PlanWriter {
    struct Count: Equatable {
        var created = 0
        var updated = 0
        var unchanged = 0
        var refused = 0
    }

    struct Counts: Equatable {
        var profiles = Count()
        var subscribers = Count()
        var nas = Count()
    }

    let client: APIClient
    let isRehearsal: Bool
    private(set) var counts = Counts()
    /// What the daemon refused.
    private(set) var remarks: [Remark] = []

    /// Subscribers in one request.
    private static let batchSize = 10_000
    /// How often a batch is rehearsed for the names of lines that were refused.
    private static let rehearsals = 20

    init(client: APIClient, isRehearsal: Bool) {
        self.client = client
        self.isRehearsal = isRehearsal
    }

    /// Profiles first, since subscribers name them; NASes last, so that nobody is refused for being not there yet.
    mutating func write(_ plan: ImportPlan) throws {
        let profiles = try records("profiles").reduce(into: [String: JSONValue]()) { $0[$1["name"]?.text ?? ""] = $1 }
        var missing: Set<String> = []
        for profile in plan.profiles {
            if try !write(profile, profiles[profile.name]) { missing.insert(profile.name) }
        }
        try subscribers(plan.subscribers, missing)
        let nas = try records("nas")
        // One that is looked up has an address, too, which is not what tells it.
        let known = nas.reduce(into: [String: JSONValue]()) { $0[($1["dns_name"]?.text ?? $1["address"]?.text ?? "").lowercased()] = $1 }
        let names = Set(nas.compactMap { $0["name"]?.text })
        for record in plan.nas { try write(record, known[record.location.lowercased()], names) }
    }

    private func records(_ path: String) throws -> [JSONValue] {
        var records: [JSONValue] = []
        try eachRecord(path) { records.append($0) }
        return records
    }

    private func eachRecord(_ path: String, _ body: (JSONValue) -> Void) throws {
        var cursor: String?
        repeat {
            let page = [(name: "limit", value: "500")] + (cursor.map { [(name: "cursor", value: $0)] } ?? [])
            let answer = try client.send(.init(path: [path], query: page))
            for record in answer["data"]?.elements ?? [] { body(record) }
            cursor = answer["page"]?["next"]?.text
        } while cursor != nil
    }

    // MARK: Profiles

    /// False when subscribers are not to name the profile: in a rehearsal, where it would be new. They name one that was refused, so that
    /// each of their lines is refused, too, instead of losing its profile.
    private mutating func write(_ profile: ImportedProfile, _ known: JSONValue?) throws -> Bool {
        let members = PlanJSON.members(profile)
        let place = Place("profile", 0)
        guard let known else {
            let isDone = try attempt(place, profile.name, PlanJSON.request("POST", ["profiles"], members, isRehearsal: isRehearsal)) != nil
            if isDone { counts.profiles.created += 1 } else { counts.profiles.refused += 1 }
            return !(isDone && isRehearsal)
        }
        let changed = members.filter { !profile.unsettled.contains($0.name) && known[$0.name] != $0.value }
        guard !changed.isEmpty else {
            counts.profiles.unchanged += 1
            return true
        }
        let path = ["profiles", "id:" + (known["id"]?.cell ?? "")]
        let isDone = try attempt(place, profile.name, PlanJSON.request("PATCH", path, changed, isRehearsal: isRehearsal)) != nil
        if isDone { counts.profiles.updated += 1 } else { counts.profiles.refused += 1 }
        return true
    }

    /// nil, and remarked, when the daemon refuses this one thing; what concerns all of them is thrown.
    private mutating func attempt(_ place: Place, _ subject: String, _ request: APIClient.Request) throws(CommandFailure) -> JSONValue? {
        do {
            return try client.send(request)
        } catch {
            guard [.failed, .conflict, .notFound].contains(error.status) else { throw error }
            let why = ([error.message] + error.details).joined(separator: "; ")
            remarks.append(Remark(.skipped, place, subject, "the daemon refused it", why, error.next))
            return nil
        }
    }

    // MARK: Subscribers

    /// What the lines of one sheet have in common.
    private struct Kind: Hashable {
        /// Columns that the sheet has not: what the daemon holds there stays.
        var omitted: Set<String>
        /// False in a rehearsal for those whose profile would be new, so that they differ from what is stored.
        var hasProfile: Bool
    }

    private mutating func subscribers(_ all: [ImportedSubscriber], _ missing: Set<String>) throws {
        let known = try all.contains(where: \.isProfileGuessed) ? usernames() : []
        var order: [Kind] = []
        var records: [Kind: [ImportedSubscriber]] = [:]
        for record in all {
            var kind = Kind(omitted: record.unsettled, hasProfile: true)
            if record.isProfileGuessed, known.contains(Array(record.username.utf8)) {
                kind.omitted.insert("profile")
            } else {
                kind.hasProfile = record.profile.map { !missing.contains($0) } ?? true
            }
            if records[kind] == nil { order.append(kind) }
            records[kind, default: []].append(record)
        }
        var progress = ProgressLine(isRehearsal ? "comparing" : "storing")
        var done = 0
        for kind in order {
            var rest = (records[kind] ?? [])[...]
            while !rest.isEmpty {
                let batch = rest.prefix(Self.batchSize)
                try send(Array(batch), kind)
                rest = rest.dropFirst(batch.count)
                done += batch.count
                progress.update(done, of: all.count)
            }
        }
        progress.abandon()
    }

    /// Of those that are there and have a profile, by their octets, since a String takes composed and decomposed letters as equal.
    private func usernames() throws -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        try eachRecord("subscribers") { record in
            if let name = record["username"]?.text, record["profile"]?.text != nil { names.insert(Array(name.utf8)) }
        }
        return names
    }

    private mutating func send(_ records: [ImportedSubscriber], _ kind: Kind) throws {
        let answer = try client.send(Self.request(records, kind, isRehearsal: isRehearsal))
        func count(_ name: String) -> Int { Int(answer[name]?.integer ?? 0) }
        counts.subscribers.created += count("imported")
        counts.subscribers.updated += count("updated") + (kind.hasProfile ? 0 : count("unchanged"))
        counts.subscribers.unchanged += kind.hasProfile ? count("unchanged") : 0
        counts.subscribers.refused += count("refused")
        try remark(answer, records, kind, refused: count("refused"))
    }

    private static func request(_ records: [ImportedSubscriber], _ kind: Kind, isRehearsal: Bool) -> APIClient.Request {
        var request = APIClient.Request(
            method: "POST", path: ["subscribers", "import"], query: [("existing", "update"), ("partial", "true")],
            body: PlanCSV.sheet(records, hasProfile: kind.hasProfile, omitting: kind.omitted), mediaType: "text/csv")
        if isRehearsal { request.query.append(("dry_run", "true")) }
        request.timeoutSeconds = 3600
        return request
    }

    /// Remarks each line that was refused. An answer lists only so many mistakes: the lines that it does not name are rehearsed until all
    /// that were refused are named. What was stored stays so when that fails, and so often is it not asked for in vain.
    private mutating func remark(_ answer: JSONValue, _ records: [ImportedSubscriber], _ kind: Kind, refused: Int) throws {
        var (answer, records, unnamed) = (answer, records, refused)
        for round in 0...Self.rehearsals {
            var named: Set<Int> = []
            for error in answer["errors"]?.elements ?? [] {
                let line = Int(error["line"]?.integer ?? 0) - 2
                let record = records.indices.contains(line) ? records[line] : nil
                if record != nil { named.insert(line) }
                remarks.append(
                    Remark(
                        .skipped, record?.place ?? Place("subscriber", 0), record?.username ?? "",
                        error["column"]?.text ?? "the daemon refused it",
                        error["detail"]?.text ?? "refused"))
            }
            unnamed -= named.count
            guard unnamed > 0, !named.isEmpty, round < Self.rehearsals else { break }
            records = records.enumerated().filter { !named.contains($0.offset) }.map(\.element)
            guard let next = try? client.send(Self.request(records, kind, isRehearsal: true)) else { break }
            answer = next
        }
        guard unnamed > 0 else { return }
        remarks.append(
            Remark(
                .skipped, Place("subscriber", 0), "", "\(unnamed) more", "the daemon refused them and did not say which",
                "Import again: what is there already is left alone."))
    }

    // MARK: NASes

    private mutating func write(_ nas: ImportedNAS, _ known: JSONValue?, _ names: Set<String>) throws {
        var members = PlanJSON.members(nas)
        guard let known else {
            if names.contains(nas.name), let index = members.firstIndex(where: { $0.name == "name" }) {
                members[index].value = .string(nas.furtherName)
            }
            let isDone = try attempt(nas.place, nas.name, PlanJSON.request("POST", ["nas"], members, isRehearsal: isRehearsal)) != nil
            if isDone { counts.nas.created += 1 } else { counts.nas.refused += 1 }
            return
        }
        // What the operator says of a name, or of a make that the source does not tell, stays; of the secret the daemon knows whether it
        // is a change.
        let kept: Set<String> = nas.isVendorGuessed ? ["name", "vendor"] : ["name"]
        let changed = members.filter { $0.name == "secret" || (!kept.contains($0.name) && known[$0.name] != $0.value) }
        let path = ["nas", "id:" + (known["id"]?.cell ?? "")]
        let answer = try attempt(nas.place, nas.name, PlanJSON.request("PATCH", path, changed, isRehearsal: isRehearsal))
        guard let answer else { return counts.nas.refused += 1 }
        let before = isRehearsal ? answer["before"]?["updated_at"] : known["updated_at"]
        let after = isRehearsal ? answer["after"]?["updated_at"] : answer["updated_at"]
        if before == after { counts.nas.unchanged += 1 } else { counts.nas.updated += 1 }
    }
}
