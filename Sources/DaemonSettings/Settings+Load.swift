internal import Glibc

extension Settings {
    /// Files that are read when nobody names one, the first that exists.
    public static let usualFiles = ["etc/lastmile.yaml", "/etc/lastmile/lastmile.yaml"]

    /// Reads the settings: defaults, then the file, then the environment.
    ///
    /// - Parameters:
    ///   - file: the value of `--config`; nil takes `LASTMILE_CONFIG`, then the first of `usualFiles` that exists, then none.
    ///   - environment: the process's variables.
    /// - Returns: complete settings.
    /// - Throws: every mistake that the file and the environment hold.
    public static func load(file: String? = nil, environment: [String: String]) throws(SettingsError) -> Settings {
        let named = file ?? environment["LASTMILE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let path = named ?? usualFiles.first { access($0, F_OK) == 0 }
        let source = path.map { SettingsFile(path: $0, name: $0) }
        return try merge(source, path: path, environment: environment)
    }

    static func merge(_ source: SettingsFile?, path: String?, environment: [String: String]) throws(SettingsError) -> Settings {
        var values = source?.values ?? [:]
        var places = source?.places ?? [:]
        var mistakes = source?.mistakes ?? []
        for key in SettingTable.keys {
            guard let text = environment[key.environmentName] else { continue }
            let place = "environment \(key.environmentName)"
            places[key.name] = place
            if let value = key.type.value(of: text) {
                values[key.name] = value
            } else {
                let problem = SettingsMistake.problem(with: text, for: key)
                mistakes.append(SettingsMistake(place: place, key: key.name, problem: problem, remedy: "allowed: \(key.type.allowed)"))
            }
        }
        let complete = SettingValues(values)
        mistakes += portCollisions(complete, places: places) + contradictions(complete, places: places) + lacks(complete, places: places)
        guard mistakes.isEmpty else { throw SettingsError(mistakes: mistakes) }
        return Settings(complete, file: path, notes: notes(on: environment) + notes(onFile: path, values: source?.values ?? [:]))
    }

    private static func portCollisions(_ values: SettingValues, places: [String: String]) -> [SettingsMistake] {
        let datagrams =
            ["radius.auth.port", "radius.acct.port", "radius.coa_port"] + (values.text("radsec.dtls") == "yes" ? ["radsec.port"] : [])
        let groups = [datagrams, ["http.port", "radsec.port", "acs.port"]]
        return groups.flatMap { names in
            names.indices.dropFirst().compactMap { index -> SettingsMistake? in
                let port = values.port(names[index])
                guard port != 0, let other = names[..<index].first(where: { values.port($0) == port }) else { return nil }
                return SettingsMistake(
                    place: places[names[index]] ?? places[other] ?? "defaults", key: names[index],
                    problem: "port \(port) is also that of \(other)",
                    remedy: "give each its own, or 0 for \(names[index] == "radius.coa_port" ? "none" : "any free one")")
            }
        }
    }

    /// Keys of which one bounds a part of what the other bounds as a whole.
    private static func contradictions(_ values: SettingValues, places: [String: String]) -> [SettingsMistake] {
        let pairs = [("eap.response_seconds", "eap.conversation_seconds"), ("eap.conversation_bytes", "eap.memory_bytes")]
        let sizes = pairs.compactMap { part, whole -> SettingsMistake? in
            let (small, large) = (values.number(part), values.number(whole))
            guard small > large else { return nil }
            return SettingsMistake(
                place: places[part] ?? places[whole] ?? "defaults", key: part, problem: "\(small) is more than \(whole), which is \(large)",
                remedy: "lower \(part), or raise \(whole)")
        }
        let (least, most) = ("eap.tls.minimum_version", "eap.tls.maximum_version")
        guard values.text(least) > values.text(most) else { return sizes }
        return sizes + [
            SettingsMistake(
                place: places[least] ?? places[most] ?? "defaults", key: least,
                problem: "\(values.text(least)) is above \(most), which is \(values.text(most))", remedy: "leave one of them out")
        ]
    }

    /// What DTLS needs of the settings of TLS.
    private static func lacks(_ values: SettingValues, places: [String: String]) -> [SettingsMistake] {
        guard values.text("radsec.dtls") == "yes" else { return [] }
        let mistake = { (problem: String, remedy: String) in
            SettingsMistake(place: places["radsec.dtls"] ?? "defaults", key: "radsec.dtls", problem: problem, remedy: remedy)
        }
        if values.text("radsec.certificate").isEmpty {
            return [mistake("there is no radsec.certificate", "name one (`lastmile pki issue server` makes it), or leave DTLS off")]
        }
        if values.text("radsec.minimum_version") == "1.3" {
            return [mistake("radsec.minimum_version is 1.3, and of DTLS there is 1.2 only", "allow 1.2, or leave DTLS off")]
        }
        guard values.list("radsec.versions") == ["1.1"] else { return [] }
        return [mistake("radsec.versions is 1.1, which needs TLS 1.3, and of DTLS there is 1.2 only", "allow 1.0, too, or leave DTLS off")]
    }

    /// Variables that are not keys and that something else here reads: the daemon, the command line, the tests, the fuzzers.
    private static let otherVariables: Set<String> = [
        "LASTMILE_CONFIG", "LASTMILE_URL", "LASTMILE_TOKEN", "LASTMILE_TENANT", "LASTMILE_POSTGRES_BIN", "LASTMILE_TEST_KEEP",
        "LASTMILE_TEST_PROGRAMS", "LASTMILE_E2E_LARGE", "LASTMILE_FUZZ_DICTIONARY", "LASTMILE_FUZZ_CERTIFICATES",
    ]

    /// Unknown variables are worth a line and no mistake: what runs containers may set some with our prefix.
    private static func notes(on environment: [String: String]) -> [String] {
        let known = otherVariables.union(SettingTable.keys.map(\.environmentName))
        let candidates = SettingTable.keys.map { $0.environmentName.lowercased() }
        let unknown = environment.filter { $0.key.hasPrefix("LASTMILE_") && !known.contains($0.key) && !isOfService($0.key, $0.value) }
        return unknown.keys.sorted().map { name in
            let line = "environment \(SettingsMistake.printable(name)) is not read"
            guard let near = Suggestion.nearest(to: name, among: candidates) else { return line + ": no key has this name" }
            return line + "; did you mean \(near.uppercased())?"
        }
    }

    /// What Kubernetes sets in every container of a namespace with a service called lastmile, or lastmile-something.
    private static func isOfService(_ name: String, _ value: String) -> Bool {
        name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
            || ["TCP", "UDP", "SCTP"].contains { protocolName in
                value.hasPrefix(protocolName.lowercased() + "://") || name.contains("_PORT_") && name.contains("_\(protocolName)_")
            }
    }

    private static func notes(onFile path: String?, values: [String: SettingValue]) -> [String] {
        var status = stat()
        guard let path, stat(path, &status) == 0, status.st_mode & 0o004 != 0 else { return [] }
        return SettingTable.keys.filter { $0.type.isSecret && values[$0.name] ?? .text("") != .text("") }.map {
            "\(path): \($0.name) holds a secret and every user of this machine can read the file; chmod o-r \(path)"
        }
    }
}
