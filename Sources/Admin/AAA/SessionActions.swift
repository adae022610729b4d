/// What can be done to live sessions; the network side is a service.
enum SessionActions {
    static let disconnect = Action("disconnect", summary: "Ends the session at its NAS and answers what the NAS said") {
        exchange, subject in
        .json(try await exchange.services.disconnect(exchange.principal.tenant, subject.id, exchange.principal.name))
    }

    static let coa = Action("coa", summary: "Gives the session its subscriber's current profile and answers what the NAS said") {
        exchange, subject in
        .json(try await exchange.services.coa(exchange.principal.tenant, subject.id, exchange.principal.name))
    }

    /// Gives all live sessions of the profile `id` its current rates.
    @Sendable static func apply(_ exchange: Exchange, _ id: Int64) async throws -> String {
        try await exchange.services.applyProfile(exchange.principal.tenant, id, exchange.principal.name)
    }

    /// One outcome among several: a failure is told instead of ending the rest.
    static func outcome(_ session: Int64, _ body: () async throws -> String) async throws -> String {
        do {
            return "{\"session\":\(session),\"outcome\":\(try await body())}"
        } catch let failure as ServiceFailure {
            let problem = Problem(failure).document(instance: "", requestID: "")
            let shown = JSON.object((problem.members ?? []).filter { $0.name == "code" || $0.name == "detail" })
            return "{\"session\":\(session),\"error\":\(String(decoding: shown.bytes, as: UTF8.self))}"
        }
    }
}
