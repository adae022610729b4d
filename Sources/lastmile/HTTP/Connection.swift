/// Which daemon to ask, and as whom.
struct Connection: Sendable {
    /// Without a slash at its end.
    let url: String
    let token: String?
    /// Where the token came from, or where it was looked for in vain.
    let tokenSource: String
    let tenant: String?

    /// Reads LASTMILE_URL, LASTMILE_TOKEN, LASTMILE_STATE_DIR and LASTMILE_TENANT.
    ///
    /// `tenant`: stronger than the environment.
    /// `environment`: the variable of that name.
    init(tenant: String?, environment: (String) -> String? = Terminal.environment) throws(CommandFailure) {
        let given = environment("LASTMILE_URL").flatMap { $0.isEmpty ? nil : $0 } ?? "http://127.0.0.1:8080"
        guard given.hasPrefix("http://") || given.hasPrefix("https://"), !given.utf8.contains(where: { $0 <= 0x20 }) else {
            throw .usage("LASTMILE_URL is “\(given)”, which is no address", next: "Write it like http://127.0.0.1:8080.")
        }
        url = given.hasSuffix("/") ? String(given.dropLast()) : given
        self.tenant = try Self.headerValue(tenant ?? environment("LASTMILE_TENANT"), "the tenant's name")
        if let token = environment("LASTMILE_TOKEN"), !token.isEmpty {
            self.token = try Self.headerValue(token, "LASTMILE_TOKEN")
            tokenSource = "LASTMILE_TOKEN"
            return
        }
        (token, tokenSource) = try Self.tokenFile(environment("LASTMILE_STATE_DIR"))
    }

    /// The text, fit for a header line; nil for none.
    private static func headerValue(_ text: String?, _ what: String) throws(CommandFailure) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .usage("\(what) holds blanks, line ends or characters beyond ASCII", next: "Check for a stray line end.")
        }
        return text
    }

    private static func tokenFile(_ stateDirectory: String?) throws(CommandFailure) -> (String?, String) {
        let directories = stateDirectory.flatMap { $0.isEmpty ? nil : [$0] } ?? ["./var", "/var/lib/lastmile"]
        for directory in directories {
            let path = directory + "/admin.token"
            switch File.presence(path) {
            case .absent: continue
            case .forbidden: return (nil, "\(path), which you may not read")
            case .readable:
                let content = try File.read(path, limit: 4096)
                let line = content.prefix { $0 != 0x0a && $0 != 0x0d }
                return (try headerValue(String(decoding: line, as: UTF8.self), path), path)
            }
        }
        return (nil, directories.map { $0 + "/admin.token" }.joined(separator: " and ") + ", which does not exist")
    }
}
