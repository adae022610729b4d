/// What a subscriber is bound to, and what one login tells of it.
public struct BindingReport: Sendable {
    /// What became of one kind.
    public enum Result: String, Sendable {
        case matches, differs, absent, awaited
        /// The request has no attributes besides the name, so nothing is compared.
        case notAsked = "not_asked"
    }

    /// One kind: a hardware address, a circuit, ...
    public struct Line: Sendable {
        /// The attribute that tells it.
        public let attribute: String
        public let mode: BindingMode
        /// Those that may log in.
        public let bound: [String]
        /// What the request tells; nil where it does not.
        public let received: String?
        public let result: Result
    }

    /// Empty where nobody looks.
    public let lines: [Line]
    private let refusal: AccessReason?

    init(_ subscriber: SubscriberRecord, _ request: PolicyRequest?) {
        guard let bound = subscriber.boundTo else {
            (lines, refusal) = ([], nil)
            return
        }
        let found = request.flatMap { request in
            request.isBare ? nil : try? request.withAttributes { ($0.lines(bound), BindingCheck(bound, $0).refusal) }
        }
        lines = found?.0 ?? Self.kinds(bound).map { Self.line($0, bound, nil, .notAsked) }
        refusal = found?.1
    }

    func apply(to verdict: AccessVerdict) -> AccessVerdict {
        guard verdict.isOpenToRules, let refusal else { return verdict }
        return verdict.refused(refusal)
    }

    /// Those that are demanded; the circuit where the first login binds the line.
    fileprivate static func kinds(_ bound: BoundTo) -> [BindingKind] {
        BindingKind.allCases.filter { kind in
            guard kind != .mac else { return bound.mac != .ignore }
            return bound.line != .ignore && (bound.demands(kind) || bound.awaitsLine && kind == .circuit)
        }
    }

    fileprivate static func line(_ kind: BindingKind, _ bound: BoundTo, _ received: String?, _ result: Result) -> Line {
        var texts: [String] = []
        bound.forEach(kind) { texts.append(text(Array($0), kind)) }
        return Line(
            attribute: kind.attribute, mode: kind == .mac ? bound.mac : bound.line, bound: texts, received: received, result: result)
    }

    fileprivate static func text(_ octets: [UInt8], _ kind: BindingKind) -> String {
        kind == .mac ? octets.map { Hexadecimal.text([$0]) }.joined(separator: ":") : BoundOctets.text(octets)
    }
}

extension RequestAttributes {
    fileprivate func lines(_ bound: BoundTo) -> [BindingReport.Line] {
        BindingReport.kinds(bound).map { kind in
            let range = LineAttributes.value(kind, of: self)
            let octets = range.map { packet[$0] }
            let received = octets.isEmpty ? nil : BoundOctets.text(octets)
            return BindingReport.line(kind, bound, received, result(kind, bound, range))
        }
    }

    private func result(_ kind: BindingKind, _ bound: BoundTo, _ range: Range<Int>) -> BindingReport.Result {
        let finding =
            kind == .mac ? BindingCheck(bound, self).mac : BindingCheck(bound, self).finding(of: kind, range, bound, self)
        switch finding {
        case .matches: return .matches
        case .differs: return .differs
        case .awaited: return .awaited
        case .absent, .ignored: return .absent
        }
    }
}
