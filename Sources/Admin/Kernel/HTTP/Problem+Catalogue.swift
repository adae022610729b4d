/// Every problem that the interface answers with.
extension Problem {
    static func badJSON(_ error: JSONError) -> Problem {
        Problem(
            400, "bad_json", "The body is no valid JSON",
            "line \(error.line), column \(error.column): \(error.reason)")
    }

    static func badRequest(_ detail: String) -> Problem {
        Problem(400, "bad_request", "The request cannot be understood", detail)
    }

    static func badParameters(_ faults: [Fault]) -> Problem {
        Problem(400, "bad_parameter", "A query parameter is wrong", summary(faults)).with(faults)
    }

    static func badCursor(_ reason: String) -> Problem {
        badParameters([Fault(.parameter("cursor"), "bad_cursor", reason)])
    }

    static func unauthorized(_ detail: String) -> Problem {
        Problem(401, "unauthorized", "No valid token was given", detail)
            .with(header: "WWW-Authenticate", "Bearer realm=\"lastmile\"")
    }

    static func forbidden(_ permission: String) -> Problem {
        Problem(403, "forbidden", "The token does not permit this", "this needs the scope \(permission)")
            .with(header: "WWW-Authenticate", "Bearer realm=\"lastmile\", error=\"insufficient_scope\", scope=\"\(permission)\"")
    }

    static func noRoute(_ path: String) -> Problem {
        Problem(404, "no_route", "There is nothing at this address", "\(path) is no address of this interface; see /openapi.json")
    }

    static func notFound(_ what: String, note: String? = nil) -> Problem {
        Problem(404, "not_found", "There is no such thing", "\(what) does not exist" + (note.map { "; \($0)" } ?? ""))
    }

    static func methodNotAllowed(_ method: String, _ allowed: String) -> Problem {
        Problem(405, "method_not_allowed", "This address does not take this method", "\(method) is not possible here; possible: \(allowed)")
            .with(header: "Allow", allowed)
    }

    static func conflict(_ detail: String, _ faults: [Fault] = []) -> Problem {
        Problem(409, "conflict", "The request contradicts what is stored", detail).with(faults)
    }

    static func stale(current: String) -> Problem {
        Problem(
            412, "stale", "It was changed since you read it", "If-Match does not name the current version \(current); read it again"
        ).with(header: "ETag", current)
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(413, "too_large", "The body is too large", "at most \(limit) octets are taken here")
            .with(header: "Connection", "close")
    }

    static func mediaType(_ expected: String) -> Problem {
        Problem(415, "media_type", "The body has a media type that is not taken here", "send \(expected)")
    }

    static func invalid(_ faults: [Fault]) -> Problem {
        Problem(422, "invalid", "The body does not fit", summary(faults)).with(faults)
    }

    static func badFile(_ faults: [Fault], total: Int) -> Problem {
        let detail = "\(total) mistake\(total == 1 ? "" : "s"), nothing was stored; " + summary(Array(faults.prefix(1)))
        return Problem(422, "bad_file", "The file does not fit", detail).with(faults)
    }

    static func keyReused() -> Problem {
        Problem(
            422, "idempotency_key_reused", "The Idempotency-Key was used for another request",
            "send each different request with its own key")
    }

    static func preconditionRequired() -> Problem {
        Problem(
            428, "precondition_required", "The request must say which version it changes",
            "send If-Match with the ETag that you read, or If-Match: * to change any version")
    }

    static func internalError() -> Problem {
        Problem(500, "internal", "Something broke here", "the log tells more under this request_id")
    }

    static func unavailable(_ detail: String) -> Problem {
        Problem(503, "unavailable", "This cannot be done right now", detail).with(header: "Retry-After", "2")
    }

    /// Others have all places.
    static func busy(_ detail: String) -> Problem {
        Problem(503, "busy", "Too many do this already", detail).with(header: "Retry-After", "5")
    }

    /// No `Retry-After`: to simply send it again might do it twice.
    static func outcomeUnknown() -> Problem {
        Problem(
            503, "outcome_unknown", "It is not known whether this was done",
            "the database stopped answering on the way: all of it, a part or nothing may have been done; look before you send it again")
    }

    private static func summary(_ faults: [Fault]) -> String {
        guard let first = faults.first else { return "" }
        let place =
            switch first.place {
            case .body(let pointer): pointer.isEmpty ? "body" : pointer
            case .parameter(let name): name
            case .header(let name): name
            case .line(let line, let column): column.isEmpty ? "line \(line)" : "line \(line), \(column)"
            }
        let more = faults.count > 1 ? " (and \(faults.count - 1) more)" : ""
        return "\(place): \(first.detail)\(more)"
    }
}
