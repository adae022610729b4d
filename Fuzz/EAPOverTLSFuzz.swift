import Glibc

// Compiled into one module with the decoder of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzEAPOverTLS` with bytes of its
// invention.
//
// The first octet chooses method and version. The rest are orders to a device: packets of any content, and the packets of an honest handshake with
// any octets inside the tunnel. Whoever has no password reads and writes in there as well as anybody.

private let password = (0..<16).map { _ in UInt8.random(in: 0...255) }
private let types = [EAPType.tls, .ttls, .peap, .teap]

private let servers: [TLSContext] = made { path throws(TLSFileFailure) in
    [try context(path, .server, .required, nil), try context(path, .server, .none, nil)]
}
private let clients: [TLSContext] = made { path throws(TLSFileFailure) in
    [try context(path, .client, .required, .tls12), try context(path, .client, .required, .tls13)]
}

private func made(_ make: (String) throws(TLSFileFailure) -> [TLSContext]) -> [TLSContext] {
    guard let directory = getenv("LASTMILE_FUZZ_CERTIFICATES") else { preconditionFailure("LASTMILE_FUZZ_CERTIFICATES is not set") }
    do throws(TLSFileFailure) { return try make(String(cString: directory)) } catch { preconditionFailure("\(error)") }
}

private func context(
    _ path: String, _ role: TLSSettings.Role, _ peer: TLSSettings.PeerCertificate, _ version: TLSSettings.Version?
) throws(TLSFileFailure) -> TLSContext {
    var settings = TLSSettings(role: role, peerCertificate: peer)
    settings.certificatePath = path + "/peer.pem"
    settings.keyPath = path + "/peer.key"
    settings.authorityPath = path + "/peer.pem"
    settings.minimumVersion = version ?? .tls12
    settings.maximumVersion = version ?? .tls13
    if role == .server { settings.resumption = .init(sessionLimit: 4) }
    return try TLSContext(settings)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEAPOverTLS(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let orders = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let first = orders.first, orders.count <= 8192 else { return 0 }
    if let attributes = EAPTTLSAttributes(orders) { precondition(attributes.methods.count <= 5) }
    if let message = EAPTEAPMessage(orders) { precondition(message.payload == nil || message.credentials == nil) }
    if let memory = EAPSessionMemory(orders) { precondition(memory.octets == orders) }
    var device = Device(types[Int(first & 3) % types.count], clients[Int(first >> 2 & 1)], packetOctets: 69 + Int(first >> 3) * 64)
    device.follow(orders[1...])
    return 0
}

/// A device that follows orders, and the server's conversation with it.
private struct Device {
    let type: EAPType
    let client: TLSConversation
    let surroundings: EAPSurroundings
    var session = EAPSession(identifier: 1)
    /// Without a flaw.
    var fragments = EAPTLSFragments(fragmentLimit: 600)
    var last: [UInt8]

    init(_ type: EAPType, _ context: TLSContext, packetOctets: Int) {
        self.type = type
        fragments.version = type == .teap ? 1 : 0
        do throws(TLSFailure) { client = try TLSConversation(context) } catch { preconditionFailure("\(error)") }
        let account = EAPAccount(.clearText(password))
        surroundings = EAPSurroundings(
            methods: [type], octetLimit: 40_000, account: { $0.elementsEqual("peer".utf8) ? account : nil },
            random: { Digest16(repeating: 5) },
            tls: EAPTLSSurroundings(certificate: servers[0], tunnel: servers[1], packetOctets: packetOctets, tenant: 1))
        last = session.receive([2, 1, 0, 6, 1, 97], surroundings).packet
    }

    mutating func follow(_ orders: ArraySlice<UInt8>) {
        var rest = orders
        while let order = rest.popFirst(), !session.hasEnded {
            let size = order & 1 == 0 ? 0 : min(Int(rest.popFirst() ?? 0), rest.count)
            let octets = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            switch order & 6 {
            case 0: deliver(EAPPacket.octets(.response, last[1], type, octets))
            default: goOn(saying: octets)
            }
        }
    }

    /// The honest answer to the server's last packet, with `octets` in the tunnel once it stands.
    private mutating func goOn(saying octets: [UInt8]) {
        guard let packet = try? EAPPacket(last.span), packet.code == .request, packet.type == type else { return }
        // TEAP's beginning has more in it than a flag.
        let data = type == .teap && packet.data.first.map { $0 & 0x20 != 0 } == true ? [0x21] : packet.data
        do throws(EAPTLSFragmentError) {
            switch try fragments.receive(data.span) {
            case .fragment: return deliver(EAPPacket.octets(.response, packet.identifier, type, fragments.acknowledgement))
            case .acknowledgement:
                if let next = fragments.nextFragment() { return deliver(EAPPacket.octets(.response, packet.identifier, type, next)) }
            case .start: client.start()
            case .message(let message): client.receive(message.span)
            }
        } catch {
            // An order to send rubbish has spoilt the device's own fragments.
            return
        }
        _ = client.read()
        client.write(octets)
        deliver(EAPPacket.octets(.response, packet.identifier, type, fragments.send(client.takeOutput())))
    }

    private mutating func deliver(_ message: [UInt8]) {
        let action = session.receive(message, surroundings)
        if case .again = action {} else { precondition(session.receive(message, surroundings) == action) }
        last = action.packet
        guard let read = try? EAPPacket(last.span) else { preconditionFailure("the answer is no packet") }
        precondition(read.code != .response && Int(last[2]) << 8 | Int(last[3]) == last.count && session.memoryOctets < 200_000)
        guard case .success(_, let keys) = action else { return }
        precondition(type == .tls && session.proven.elementsEqual("peer".utf8), "success without the password")
        precondition(keys.map { $0.send.count == 32 && $0.receive.count == 32 } ?? false)
    }
}
