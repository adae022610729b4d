import Glibc

// Compiled into one module with the decoder of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzTLS` with bytes of its invention.
//
// The bytes are orders to a peer of a server that speaks EAP-TLS: packets of any content, and the flights of an honest client, changed or not.

private let contexts: [TLSContext] = {
    guard let directory = getenv("LASTMILE_FUZZ_CERTIFICATES") else { preconditionFailure("LASTMILE_FUZZ_CERTIFICATES is not set") }
    let path = String(cString: directory)
    do throws(TLSFileFailure) {
        return [
            try context(path, .server, .tls12), try context(path, .server, .tls13), try context(path, .client, .tls12),
            try context(path, .client, .tls13),
        ]
    } catch {
        preconditionFailure("\(error)")
    }
}()

private func context(_ path: String, _ role: TLSSettings.Role, _ version: TLSSettings.Version) throws(TLSFileFailure) -> TLSContext {
    var settings = TLSSettings(role: role)
    settings.certificatePath = path + "/peer.pem"
    settings.keyPath = path + "/peer.key"
    settings.authorityPath = path + "/peer.pem"
    settings.minimumVersion = version
    settings.maximumVersion = version
    if role == .server { settings.resumption = .init(sessionLimit: 4) }
    return try TLSContext(settings)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTLS(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let orders = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let first = orders.first, orders.count <= 8192 else { return 0 }
    let version = Int(first & 1)
    do throws(TLSFailure) {
        var exchange = Exchange(
            server: try TLSConversation(contexts[version]), client: try TLSConversation(contexts[2 + version]),
            fragmentLimit: 64 + Int(first >> 1) * 16)
        exchange.follow(orders[1...])
    } catch {
        preconditionFailure("\(error)")
    }
    return 0
}

/// A server behind fragments, and a peer that follows orders.
private struct Exchange {
    let server: TLSConversation
    let client: TLSConversation
    var ours: EAPTLSFragments
    /// Without a flaw.
    var theirs: EAPTLSFragments
    var packets = 0

    init(server: TLSConversation, client: TLSConversation, fragmentLimit: Int) {
        (self.server, self.client) = (server, client)
        ours = EAPTLSFragments(fragmentLimit: fragmentLimit, messageLimit: 20_000)
        theirs = EAPTLSFragments(fragmentLimit: 200)
        client.start()
    }

    mutating func follow(_ orders: ArraySlice<UInt8>) {
        var rest = orders
        while let order = rest.popFirst(), packets < 200 {
            switch order & 3 {
            case 0:
                let size = min(Int(rest.popFirst() ?? 0), rest.count)
                deliver(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            case 1:
                var flight = client.takeOutput()
                let position = Int(rest.popFirst() ?? 0) << 8 | Int(rest.popFirst() ?? 0)
                if !flight.isEmpty { flight[position % flight.count] ^= rest.popFirst() ?? 1 }
                send(flight)
            case 2: send(client.takeOutput())
            default:
                server.keepSession(remembering: [order])
                server.write([order, 0])
                client.write([order])
            }
        }
        if case .failed(let failure) = server.state { precondition(!failure.description.isEmpty && !failure.word.isEmpty) }
        precondition(server.state == .established || server.state == .closed || server.eapKeys(type: 13) == nil)
    }

    /// A whole message of the client, in its fragments.
    private mutating func send(_ message: [UInt8]) {
        var packet: [UInt8]? = theirs.send(message)
        while let next = packet {
            deliver(next)
            packet = theirs.nextFragment()
        }
    }

    /// One packet, and all that the server answers.
    private mutating func deliver(_ packet: [UInt8]) {
        packets += 1
        do throws(EAPTLSFragmentError) {
            guard case .message(let message) = try ours.receive(packet.span) else { return }
            precondition(!message.isEmpty && message.count <= ours.messageLimit)
            server.receive(message.span)
            _ = server.read()
            answer(server.takeOutput())
        } catch {
            // Most of what is invented is no fragment.
        }
    }

    private mutating func answer(_ message: [UInt8]) {
        guard !message.isEmpty else { return }
        var joined = EAPTLSFragments(messageLimit: 1 << 20)
        var packet = ours.send(message)
        while true {
            precondition(packet.count <= ours.fragmentLimit)
            guard let incoming = try? joined.receive(packet.span) else { preconditionFailure("our own fragment is refused") }
            if incoming == .message(message) { break }
            guard incoming == .fragment, let next = ours.nextFragment() else { preconditionFailure("our own fragments do not add up") }
            packet = next
        }
        precondition(!ours.isSending)
        client.receive(message.span)
        _ = client.read()
    }
}
