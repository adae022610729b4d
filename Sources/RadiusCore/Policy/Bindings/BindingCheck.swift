/// What a login's station and line are to its subscriber.
enum BindingFinding: UInt8, BitwiseCopyable {
    /// Nobody looks.
    case ignored
    /// Nothing is bound yet: this login may bind it.
    case awaited
    case matches
    case differs
    /// The request does not tell.
    case absent

    var isMismatch: Bool { self == .differs || self == .absent }
}

/// A login compared with what its subscriber is bound to: a pure function of record and request.
struct BindingCheck {
    private(set) var mac = BindingFinding.ignored
    private(set) var line = BindingFinding.ignored
    private let modes: (mac: BindingMode, line: BindingMode)
    /// What the request tells of its line, in the packet; empty where it does not.
    let circuit: Range<Int>
    let remote: Range<Int>
    let port: Range<Int>

    /// - Parameters:
    ///   - bound: of the subscriber.
    ///   - request: whose lengths are right.
    init(_ bound: BoundTo, _ request: RequestAttributes) {
        modes = (bound.mac, bound.line)
        guard bound.line != .ignore else {
            (circuit, remote, port) = (0..<0, 0..<0, 0..<0)
            if bound.mac != .ignore { mac = Self.mac(bound, request) }
            return
        }
        circuit = LineAttributes.value(.circuit, of: request)
        remote = LineAttributes.value(.remote, of: request)
        port = LineAttributes.value(.port, of: request)
        if bound.mac != .ignore { mac = Self.mac(bound, request) }
        line = line(bound, request)
    }

    private static func mac(_ bound: BoundTo, _ request: RequestAttributes) -> BindingFinding {
        if bound.awaitsMAC { return .awaited }
        guard let address = request.first(.callingStationID).flatMap({ HardwareAddress(station: request.packet, $0) }) else {
            return .absent
        }
        return withUnsafeBytes(of: address.value.bigEndian) { bound.has(.mac, UnsafeRawBufferPointer(rebasing: $0[2...])) }
            ? .matches : .differs
    }

    /// Each kind that is bound must be told, and be one of those that are bound.
    private func line(_ bound: BoundTo, _ request: RequestAttributes) -> BindingFinding {
        if bound.awaitsLine { return .awaited }
        let findings = (
            finding(.circuit, circuit, bound, request), finding(.remote, remote, bound, request), finding(.port, port, bound, request)
        )
        func some(_ finding: BindingFinding) -> Bool { findings.0 == finding || findings.1 == finding || findings.2 == finding }
        if some(.differs) { return .differs }
        return some(.absent) || !some(.matches) ? .absent : .matches
    }

    /// What one kind of the line is; `ignored` where it is not demanded.
    func finding(of kind: BindingKind, _ range: Range<Int>, _ bound: BoundTo, _ request: RequestAttributes) -> BindingFinding {
        bound.awaitsLine ? .awaited : finding(kind, range, bound, request)
    }

    private func finding(_ kind: BindingKind, _ range: Range<Int>, _ bound: BoundTo, _ request: RequestAttributes) -> BindingFinding {
        guard bound.demands(kind) else { return .ignored }
        if range.isEmpty { return .absent }
        return bound.has(kind, UnsafeRawBufferPointer(start: request.packet + range.lowerBound, count: range.count)) ? .matches : .differs
    }

    /// Why the login is refused; nil when it is not.
    var refusal: AccessReason? {
        if modes.mac == .enforce, mac.isMismatch { return mac == .absent ? .macMissing : .macNotBound }
        if modes.line == .enforce, line.isMismatch { return line == .absent ? .lineMissing : .lineNotBound }
        return nil
    }

    /// For the authentication log.
    var note: BindingNote {
        var note = BindingNote()
        if mac.isMismatch { note.insert(.macDiffers) }
        if line.isMismatch { note.insert(.lineDiffers) }
        if mac == .awaited { note.insert(.macAwaited) }
        if line == .awaited { note.insert(.lineAwaited) }
        return note
    }
}

/// What an event of the authentication log says about bindings.
public struct BindingNote: OptionSet, Sendable, BitwiseCopyable, Equatable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The station is none of those that are bound, or not told.
    public static let macDiffers = BindingNote(rawValue: 1)
    public static let lineDiffers = BindingNote(rawValue: 2)
    /// The first accepted login binds the station.
    public static let macAwaited = BindingNote(rawValue: 4)
    public static let lineAwaited = BindingNote(rawValue: 8)

    /// The word in the log; nil where nothing differs.
    public var word: String? {
        switch intersection([.macDiffers, .lineDiffers]) {
        case []: nil
        case .macDiffers: "mac"
        case .lineDiffers: "line"
        default: "mac_and_line"
        }
    }
}
