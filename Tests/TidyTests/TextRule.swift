/// What no text file of the project may hold.
enum TextRule {
    // Put together here so that this file does not hold them itself.
    private static let machinePaths = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/opt/sw" + "ift"]
    private static let unfinished = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]

    /// Hosts that a text may name; package registries and mirrors of a workplace are not among them.
    private static let hosts: Set<String> = [
        "127.0.0.1", "localhost", "[::1]", "github.com", "www.apache.org", "www.apache.org.", "www.swift.org", "www.rfc-editor.org",
        "www.iana.org", "www.postgresql.org", "schemas.xmlsoap.org", "www.w3.org", "json-schema.org", "spec.openapis.org",
    ]

    static func violations(in file: TextFile) -> [String] {
        guard file.path != "LICENSE", file.path != "Package.resolved" else { return [] }
        // A vendor may have named a value so.
        let isDictionary = file.path.hasPrefix("dictionaries/")
        return spacing(of: file)
            + file.lines.enumerated().flatMap { index, line in
                ((isDictionary ? [] : unfinishedWork(line)) + machineTraces(line)).map { "\(file.path):\(index + 1): \($0)" }
            }
    }

    private static func spacing(of file: TextFile) -> [String] {
        guard !file.text.isEmpty else { return ["\(file.path): is empty"] }
        var found: [String] = []
        if file.lines.last != "" { found.append("\(file.path): no line end at the end") }
        if file.lines.count > 2, file.lines.suffix(2).allSatisfy(\.isEmpty) { found.append("\(file.path): empty lines at the end") }
        for (index, line) in file.lines.enumerated() {
            if line.hasSuffix(" ") || line.hasSuffix("\t") { found.append("\(file.path):\(index + 1): blanks at the end") }
            if line.utf8.contains(0x0D) { found.append("\(file.path):\(index + 1): a carriage return") }
            if file.isSwift, line.contains("\t") { found.append("\(file.path):\(index + 1): a tab") }
        }
        return found
    }

    private static func unfinishedWork(_ line: Substring) -> [String] {
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        return unfinished.filter { words.contains(Substring($0)) }.map { "\($0): finish it or open an issue" }
    }

    private static func machineTraces(_ line: Substring) -> [String] {
        machinePaths.filter { line.contains($0) }.map { "\($0): a path of one machine" }
            + line.ranges(of: "://").compactMap { range -> String? in
                guard line[..<range.lowerBound].hasSuffix("http") || line[..<range.lowerBound].hasSuffix("https") else { return nil }
                let host = host(in: line[range.upperBound...])
                return isAllowed(host) ? nil : "\(host): a host that TextRule does not know"
            }
    }

    private static func host(in rest: Substring) -> String {
        let authority = rest.prefix { !" /\"'`<>)(,;?#".contains($0) }
        let afterUser = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
        if afterUser.hasPrefix("[") { return String(afterUser.prefix { $0 != "]" }) + "]" }
        return String(afterUser.prefix { $0 != ":" })
    }

    /// Names for documentation (RFC 2606, RFC 5737) and what a program puts in at run time are free.
    private static func isAllowed(_ host: String) -> Bool {
        if host.isEmpty || hosts.contains(host) || host.hasPrefix("\\") || host.hasPrefix("$") || host.hasPrefix("%") { return true }
        if ["192.0.2.", "198.51.100.", "203.0.113."].contains(where: host.hasPrefix) || host.hasPrefix("[2001:db8:") { return true }
        return ["example", "example.com", "example.net", "example.org", "invalid", "test"].contains {
            host == $0 || host.hasSuffix("." + $0)
        }
    }
}
