/// The State of an Access-Challenge (RFC 2865 §5.24): names node and slot of a conversation, and nobody else can make one.
///
/// 32 octets: node 4, slot 4, a number 8 that is drawn for each conversation, and a keyed digest 16 over these, the NAS and the tenant.
/// The key is drawn at the start and never leaves the process.
struct EAPState: Sendable {
    static let count = 32

    enum Reading: Equatable {
        case conversation(slot: Int, number: UInt64)
        /// Made by a node that calls itself otherwise; nobody but that node can tell whether it is genuine.
        case otherNode
        case forged
    }

    private let key: HMACMD5.Key
    private let node: UInt32

    /// - Parameters:
    ///   - node: the name of this node.
    ///   - secret: 16 octets or more that nobody knows.
    init(node: [UInt8], secret: [UInt8]) {
        key = HMACMD5.Key(secret.span)
        var digest = MD5()
        digest.update(node.span)
        let name = digest.finish()
        self.node = (0..<4).reduce(0) { $0 << 8 | UInt32(name[$1]) }
    }

    func make(slot: Int, number: UInt64, client: Int64, tenant: Int64) -> [UInt8] {
        let head = Self.octets(UInt64(node) << 32 | UInt64(UInt32(truncatingIfNeeded: slot))) + Self.octets(number)
        return head + digest(head, client, tenant)
    }

    func read(_ state: [UInt8], client: Int64, tenant: Int64) -> Reading {
        guard state.count == Self.count else { return .forged }
        let first = Self.number(state[0..<8])
        guard UInt32(truncatingIfNeeded: first >> 32) == node else { return .otherNode }
        let expected = digest(Array(state[0..<16]), client, tenant)
        guard ConstantTime.equal(expected.span, state.span.extracting(16..<32)) else { return .forged }
        return .conversation(slot: Int(UInt32(truncatingIfNeeded: first)), number: Self.number(state[8..<16]))
    }

    private func digest(_ head: [UInt8], _ client: Int64, _ tenant: Int64) -> [UInt8] {
        var code = HMACMD5(key: key)
        let owner = Self.octets(UInt64(bitPattern: client)) + Self.octets(UInt64(bitPattern: tenant))
        code.update(head.span)
        code.update(owner.span)
        let digest = code.finish()
        return digest.indices.map { digest[$0] }
    }

    private static func octets(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }

    private static func number(_ octets: ArraySlice<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }
}
