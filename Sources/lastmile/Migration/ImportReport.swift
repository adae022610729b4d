import FreeRADIUSImport
import Glibc

/// The file that gets a line for each remark; only its owner may read it, since it names subscribers.
struct ReportFile {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>

    /// Opens the file, so that a path that cannot be written is known before anything is changed.
    init(_ path: String) throws(CommandFailure) {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, let file = fdopen(descriptor, "w") else {
            throw .usage("cannot write \(path): \(String(cString: strerror(errno)))", next: "Name another file with --report.")
        }
        // The mode that open() gives is for a new file only. What is no file (a pipe, a terminal) keeps its own.
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFREG || fchmod(descriptor, 0o600) == 0 else {
            let reason = String(cString: strerror(errno))
            fclose(file)
            throw .usage("cannot make \(path) readable by its owner alone: \(reason)", next: "Name a new file with --report.")
        }
        self.file = file
    }

    func write(_ remarks: [Remark]) throws(CommandFailure) {
        let isCSV = path.hasSuffix(".csv")
        if isCSV { put("level,place,subject,what,why,advice\n") }
        for remark in remarks { put(isCSV ? Self.csv(remark) : Self.json(remark)) }
        guard ferror(file) == 0, fclose(file) == 0 else {
            throw CommandFailure(.failed, "\(path) could not be written whole", next: "Is the disk full? The import itself is done.")
        }
    }

    private func put(_ text: String) {
        var text = text
        text.withUTF8 { _ = fwrite($0.baseAddress, 1, $0.count, file) }
    }

    static func json(_ remark: Remark) -> String {
        JSONText.compact(document(remark)) + "\n"
    }

    private static func document(_ remark: Remark) -> JSONValue {
        .object([
            .init("level", .string(remark.level.rawValue)), .init("place", .string(remark.place.description)),
            .init("subject", .string(remark.subject)), .init("what", .string(remark.what)), .init("why", .string(remark.why)),
            .init("advice", .string(remark.advice)),
        ])
    }

    static func csv(_ remark: Remark) -> String {
        let cells = [remark.level.rawValue, remark.place.description, remark.subject, remark.what, remark.why, remark.advice]
        return cells.map(CSVText.cell).joined(separator: ",") + "\n"
    }
}

/// What the operator is told at the end.
struct ImportSummary {
    let plan: ImportPlan
    let source: FreeRADIUSSource
    let counts: PlanWriter.Counts
    let isRehearsal: Bool
    let report: String?

    /// Kinds of remarks that are printed of a level, at most.
    private static let kindLimit = 20

    private func remarks(_ level: Remark.Level) -> [Remark] { plan.remarks.filter { $0.level == level } }

    var isIncomplete: Bool { plan.remarks.contains { $0.level != .note } }

    /// `3 entries were not carried over, and 1 part of others`; the parts only where there are some.
    var leftOut: String {
        let (skipped, lost) = (remarks(.skipped).count, remarks(.lost).count)
        let parts = lost == 0 ? "" : ", and \(lost.counted("part")) of others"
        return "\(skipped.counted("entry was", "entries were")) not carried over\(parts)"
    }

    var document: JSONValue {
        func count(_ count: PlanWriter.Count) -> JSONValue {
            .object([
                .init("created", .number(count.created)), .init("updated", .number(count.updated)),
                .init("unchanged", .number(count.unchanged)),
                .init("refused", .number(count.refused)),
            ])
        }
        return .object([
            .init("dry_run", .bool(isRehearsal)), .init("profiles", count(counts.profiles)),
            .init("subscribers", count(counts.subscribers)),
            .init("nas", count(counts.nas)), .init("skipped", .number(remarks(.skipped).count)),
            .init("lost", .number(remarks(.lost).count)),
            .init("notes", .number(remarks(.note).count)), .init("open_sessions", .number(source.openSessions)),
        ])
    }

    var text: String {
        var lines: [String] = []
        for (title, level) in [("not carried over", Remark.Level.skipped), ("carried over without this", .lost), ("notes", .note)] {
            lines += kinds(level, title)
        }
        if source.openSessions > 0 {
            let sessions = source.openSessions.counted("open session")
            lines.append(
                "\(sessions) in radacct: \(source.openSessions == 1 ? "it appears" : "they appear") here with the next interim record")
        }
        lines.append(Self.row("", ["created", "updated", "unchanged", "refused"]))
        for (name, count) in [("profiles", counts.profiles), ("subscribers", counts.subscribers), ("nas", counts.nas)] {
            lines.append(Self.row(name, [count.created, count.updated, count.unchanged, count.refused].map { String($0) }))
        }
        if isRehearsal { lines.append("A dry run: nothing was changed.") }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        Printable.padded(name, to: 14) + cells.map { Printable.padded(left: $0, to: 11) }.joined()
    }

    /// Remarks of one level, those for the same reason together, each with its first place.
    private func kinds(_ level: Remark.Level, _ title: String) -> [String] {
        var order: [String] = []
        var found: [String: (first: Remark, count: Int)] = [:]
        for remark in remarks(level) {
            let key = String(remark.what.prefix { $0 != " " }) + "\u{0}" + remark.why
            if found[key] == nil { order.append(key) }
            found[key] = (found[key]?.first ?? remark, (found[key]?.count ?? 0) + 1)
        }
        guard !order.isEmpty else { return [] }
        var lines = ["\(title): \(remarks(level).count)"]
        for key in order.prefix(Self.kindLimit) {
            guard let (first, count) = found[key] else { continue }
            let subject = first.subject.isEmpty ? "" : " \(first.subject)"
            let more = count > 1 ? " (and \(count - 1) more)" : ""
            lines.append("  " + Printable.line("\(first.place)\(subject): \(first.what): \(first.why)\(more)"))
            if !first.advice.isEmpty { lines.append("      " + Printable.line(first.advice)) }
        }
        let rest = order.count - Self.kindLimit
        if rest > 0 { lines.append("  ... and \(rest.counted("further kind")); --report has them all") }
        return lines
    }
}
