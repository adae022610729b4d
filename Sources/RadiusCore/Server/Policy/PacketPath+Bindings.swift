internal import CLinux

/// Stations and lines that subscribers are bound to. Whoever is bound to nothing never comes here.
extension PacketPath {
    /// The verdict, or the refusal of a login that comes from elsewhere.
    ///
    /// Static: a call on the path itself would copy all of it.
    @inline(never)
    static func applyBindings(
        _ verdict: AccessVerdict, _ work: UnsafePointer<PacketWork>, _ subscriber: SubscriberRecord
    ) -> AccessVerdict {
        guard verdict.isOpenToRules, let bound = subscriber.boundTo else { return verdict }
        guard let refusal = BindingCheck(bound, work.pointee.attributes).refusal else { return verdict }
        return verdict.refused(refusal)
    }

    /// Hands the outcome of a login of somebody who is bound to the authentication log, with its line.
    @inline(never)
    func logBound(_ event: AuthEvent, _ bound: BoundTo, _ attempt: Attempt, name: [UInt8]) {
        let request = attempt.request
        let check = BindingCheck(bound, request)
        var event = event
        event.binding = check.note
        if event.outcome == .accept {
            if event.binding.contains(.macDiffers) { counters.add(.macMismatches) }
            if event.binding.contains(.lineDiffers) { counters.add(.lineMismatches) }
        }
        events.push(
            event, userName: name.isEmpty ? request.value(.userName) : name.span, callingStation: request.value(.callingStationID),
            nasPortID: request.value(.nasPortID), circuitID: request.octets(check.circuit), remoteID: request.octets(check.remote))
    }
}
