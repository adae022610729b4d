/// What can be done to a NAS besides changing it.
enum NASActions {
    static let all = [examineOne, examineAll]

    private static let summary = "What ought to be mended: secrets, signatures, clock, silence, CoA, make; each with what to do"

    private static let examineOne = Action("doctor", summary: summary, isWrite: false) { exchange, subject in
        .json(try await exchange.services.examineNAS(exchange.principal.tenant, subject.name))
    }

    private static let examineAll = Action("doctor", on: .collection, summary: summary + "; of all", isWrite: false) { exchange, _ in
        .json(try await exchange.services.examineNAS(exchange.principal.tenant, nil))
    }
}
