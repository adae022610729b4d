import Support

@testable import RadiusCore

/// Connections of NAS behind which is no thread: the test says which there are, and how requests over them end.
struct LooseConnections: Sendable {
    let reverse = ReverseCoA(wakeUps: [-1], timing: ReverseTiming())

    func connect(_ nas: Int64, from source: IPAddress = IPAddress(ipv4: 0x7f00_0001)) {
        let handle = ConnectionHandle(slot: 0, generation: 1)
        reverse.add(ReverseCoA.Connection(transport: .tls, source: source, worker: 0, handle: handle), of: nas)
    }

    /// Waits for requests and ends them with `outcome`.
    ///
    /// - Returns: of which kind they are.
    @discardableResult
    func answer(_ outcome: CoAOutcome) async throws -> [CoARequest.Kind] {
        var kinds: [CoARequest.Kind] = []
        try await eventually {
            for request in reverse.collect(0) {
                kinds.append(request.request.kind)
                reverse.finish(request, outcome)
            }
            return !kinds.isEmpty
        }
        return kinds
    }
}
