/// Turns rows of FreeRADIUS's tables into a `FreeRADIUSSource`.
public struct TableRows {
    public static let tables: Set<String> = [
        "radcheck", "radreply", "radgroupcheck", "radgroupreply", "radusergroup", "usergroup", "nas", "radacct",
    ]

    /// The orders of columns in FreeRADIUS's own schemas, for dumps that name them nowhere; by table and number of columns.
    private static let usual: [String: [[String]]] = [
        "radcheck": [["id", "username", "attribute", "op", "value"]],
        "radreply": [["id", "username", "attribute", "op", "value"]],
        "radgroupcheck": [["id", "groupname", "attribute", "op", "value"]],
        "radgroupreply": [["id", "groupname", "attribute", "op", "value"]],
        "radusergroup": [["id", "username", "groupname", "priority"], ["username", "groupname", "priority"]],
        "usergroup": [["username", "groupname", "priority"]],
        "nas": [
            ["id", "nasname", "shortname", "type", "ports", "secret", "server", "community", "description"],
            [
                "id", "nasname", "shortname", "type", "ports", "secret", "server", "community", "description", "require_ma",
                "limit_proxy_state",
            ],
        ],
    ]
    /// Open sessions that are remarked one by one.
    private static let sessionLimit = 1000

    /// The dump's name, for places of rows without an id.
    private let name: String
    public private(set) var source: FreeRADIUSSource

    public init(_ name: String, into source: FreeRADIUSSource) {
        self.name = name
        self.source = source
    }

    /// One row's values by column.
    private struct Row {
        let place: Place
        let values: [String: SQLCell]

        subscript(column: String) -> String { values[column]?.string ?? "" }
    }

    /// Takes a row in.
    ///
    /// - Throws: `SourceFault` when the dump says nowhere which columns the row has.
    public mutating func add(_ table: String, _ columns: [String], _ cells: [SQLCell], _ line: Int) throws(SourceFault) {
        let columns = try names(table, columns, cells.count, line)
        var values: [String: SQLCell] = [:]
        for (column, cell) in zip(columns, cells) { values[column] = cell }
        let id = (values["id"] ?? values["radacctid"])?.string.flatMap { Int($0) }
        let row = Row(place: id.map { Place(table, $0) } ?? Place(name, line), values: values)
        for (column, cell) in zip(columns, cells) {
            guard case .octets = cell, table != "radacct" else { continue }
            source.remarks.append(
                Remark(
                    .skipped, row.place, "", column, "it holds octets that are no UTF-8",
                    "Mend the value in the source, or dump it as UTF-8."))
            return
        }
        take(table, row)
    }

    private func names(_ table: String, _ columns: [String], _ count: Int, _ line: Int) throws(SourceFault) -> [String] {
        if !columns.isEmpty {
            guard columns.count == count else {
                throw SourceFault(line: line, "a row of \(table) has \(count) values for \(columns.count) columns")
            }
            return columns
        }
        if let usual = Self.usual[table]?.first(where: { $0.count == count }) { return usual }
        if table == "radacct" { return [] }
        throw SourceFault(
            line: line, "nothing says which columns the \(count) values of \(table) are; dump with CREATE TABLE or with names of columns")
    }

    private mutating func take(_ table: String, _ row: Row) {
        switch table {
        case "radcheck", "radreply": pair(row, isCheck: table == "radcheck")
        case "radgroupcheck", "radgroupreply": groupPair(row, isCheck: table == "radgroupcheck")
        case "radusergroup", "usergroup": membership(row)
        case "nas": client(row)
        default: session(row)
        }
    }

    private mutating func pair(_ row: Row, isCheck: Bool) {
        let name = row["username"]
        guard let pair = item(row, name, isCheck: isCheck) else { return }
        noteSpelling(name, source.users[name]?.name, row.place)
        source.users.change(name, at: row.place) { user in
            if isCheck { user.check.append(pair) } else { user.reply.append(pair) }
        }
    }

    private mutating func groupPair(_ row: Row, isCheck: Bool) {
        let name = row["groupname"]
        guard let pair = item(row, name, isCheck: isCheck) else { return }
        source.groups.change(name, at: row.place) { group in
            if isCheck { group.check.append(pair) } else { group.reply.append(pair) }
        }
    }

    private mutating func membership(_ row: Row) {
        let (name, group) = (row["username"], row["groupname"])
        guard !name.isEmpty, !group.isEmpty else {
            return refuse(row.place, name, group, name.isEmpty ? "the user's name is empty" : "the group's name is empty")
        }
        let text = row["priority"]
        let priority = Int(text)
        if priority == nil, !text.isEmpty {
            source.remarks.append(Remark(.note, row.place, name, "priority \(text)", "it is no number; taken as 1"))
        }
        noteSpelling(name, source.users[name]?.name, row.place)
        source.users.change(name, at: row.place) { user in
            user.memberships.append(.init(group: group, priority: priority ?? 1, place: row.place))
        }
    }

    /// A check or reply item; nil, and remarked, where it is none.
    private mutating func item(_ row: Row, _ name: String, isCheck: Bool) -> SourcePair? {
        let attribute = row["attribute"]
        guard !name.isEmpty, !attribute.isEmpty else {
            refuse(row.place, name, attribute, name.isEmpty ? "the name is empty" : "the attribute is empty")
            return nil
        }
        var word = row["op"].filter { $0 != " " }
        if word.isEmpty {
            // FreeRADIUS complains and compares.
            word = "=="
            source.remarks.append(Remark(.note, row.place, name, attribute, "its operator is empty; FreeRADIUS takes that as =="))
        }
        guard let operation = PairOperator(rawValue: word) else {
            refuse(row.place, name, attribute, "“\(word.prefix(8))” is no operator")
            return nil
        }
        var pair = SourcePair(attribute, operation, row["value"], at: row.place)
        pair.stripQuotes()
        return pair
    }

    private mutating func refuse(_ place: Place, _ name: String, _ what: String, _ why: String) {
        source.remarks.append(Remark(.lost, place, name, what, why, "Mend or delete the row."))
    }

    private mutating func noteSpelling(_ name: String, _ known: String?, _ place: Place) {
        guard let known, !known.utf8.elementsEqual(name.utf8) else { return }
        source.remarks.append(
            Remark(
                .note, place, known, name, "MySQL takes both spellings as one user; “\(known)” is carried over",
                "Here a name is compared octet by octet: see that the user logs in with this spelling."))
    }

    private mutating func client(_ row: Row) {
        var client = SourceClient(name: row["shortname"], address: row["nasname"], secret: row["secret"], at: row.place)
        client.type = row["type"]
        client.description = row["description"]
        client.requireMessageAuthenticator = row["require_ma"]
        client.limitProxyState = row["limit_proxy_state"]
        for column in ["ports", "server", "community"] where !row[column].isEmpty {
            client.others.append(.init(name: column, value: row[column]))
        }
        source.clients.append(client)
    }

    private mutating func session(_ row: Row) {
        let stopped = row["acctstoptime"]
        guard row.values["acctstoptime"] != nil, stopped.isEmpty || stopped.hasPrefix("0000-00-00") else { return }
        source.openSessions += 1
        guard source.openSessions <= Self.sessionLimit else { return }
        let station = row["framedipaddress"].isEmpty ? "" : " with \(row["framedipaddress"])"
        source.remarks.append(
            Remark(
                .note, row.place, row["username"], "session \(row["acctsessionid"])\(station)",
                "it is open; accounting is not carried over",
                "It appears here with its next interim record once the NAS sends accounting here."))
    }
}

extension SourcePair {
    /// A value in a table that is quoted as a whole means what the quotes mean in a file.
    mutating func stripQuotes() {
        guard value.utf8.count >= 2, let first = value.utf8.first, first == value.utf8.last else { return }
        switch first {
        case UInt8(ascii: "\""): quote = .double
        case UInt8(ascii: "'"): quote = .single
        case UInt8(ascii: "`"): quote = .back
        default: return
        }
        value = String(value.dropFirst().dropLast())
    }
}
