/// A problem document (RFC 9457) of the daemon.
struct APIProblem {
    let status: Int
    let code: String
    let title: String
    let detail: String
    let requestID: String
    let errors: [JSONValue]

    /// nil when the answer is none.
    init?(_ answer: HTTPExchange.Answer) {
        guard answer.header("content-type")?.hasPrefix("application/problem+json") == true,
            let document = try? JSONReader.parse(answer.body), case .object = document
        else { return nil }
        self.init(status: answer.status, document)
    }

    init(status: Int, _ document: JSONValue) {
        self.status = status
        code = document["code"]?.text ?? ""
        title = document["title"]?.text ?? "the daemon refused with status \(status)"
        detail = document["detail"]?.text ?? ""
        requestID = document["request_id"]?.text ?? ""
        errors = document["errors"]?.elements ?? []
    }

    /// All that is wrong is that what the request names does not exist; of a file, lines are refused.
    private var isOfMissing: Bool { !errors.isEmpty && errors.allSatisfy { $0["code"]?.text == "not_found" && $0["line"] == nil } }

    /// How the command ends.
    var exitStatus: ExitStatus {
        if isOfMissing { return .notFound }
        return switch status {
        case 401, 403: .denied
        case 404: .notFound
        case 409, 412: .conflict
        default: .failed
        }
    }

    /// What the user is told.
    func failure(_ connection: Connection) -> CommandFailure {
        if isOfMissing {
            let missing = errors.compactMap { $0["detail"]?.text }.joined(separator: "; ")
            return CommandFailure(exitStatus, missing, next: "The list command of that noun shows what there is.")
        }
        let message = errors.isEmpty ? (detail.isEmpty ? title : detail) : title
        return CommandFailure(exitStatus, message, details: errors.map(Self.line), next: next(connection))
    }

    /// `password: must have ...`: the place as the command line calls it, then the reason.
    static func line(_ error: JSONValue) -> String {
        let detail = error["detail"]?.text ?? "refused"
        if let line = error["line"]?.integer {
            let column = error["column"]?.text ?? ""
            return "line \(line)" + (column.isEmpty ? "" : ", \(column)") + ": " + detail
        }
        let place = error["parameter"]?.text ?? error["header"]?.text ?? error["pointer"]?.text.map { String($0.drop { $0 == "/" }) } ?? ""
        return place.isEmpty ? detail : "\(place): \(detail)"
    }

    private func next(_ connection: Connection) -> String {
        switch status {
        case 401 where connection.token == nil:
            "No token was found: set LASTMILE_TOKEN, or LASTMILE_STATE_DIR to the daemon's state directory (looked for "
                + connection.tokenSource + ")."
        case 401: "The token came from \(connection.tokenSource): is it this daemon's?"
        case 403: "Ask whoever made the token for that scope, or use the operator's token."
        case 404 where code == "not_found": "The list command of the same noun shows what there is."
        case 404: "Is the daemon older than this command?"
        case 412: "Look at it again, then repeat the command."
        case 500: "Look into the daemon's log for the request \(requestID)."
        case 503 where code == "outcome_unknown": "Look at `lastmile health`, then whether it was done."
        case 503 where code == "busy": "Whoever has ended gives its place back within some seconds."
        case 503: "Look at `lastmile health`, then try again."
        default: ""
        }
    }
}
