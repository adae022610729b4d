import CLinux
import Glibc

/// Writing and signing replies, and what requests and replies are told apart by.
extension PacketPath {
    /// Begins a reply; its authenticator is the request's until it is signed.
    @_lifetime(immortal)
    static func begin(
        _ code: PacketCode, answering packet: UnsafePointer<UInt8>, in reply: UnsafeMutablePointer<lm_datagram>
    ) -> PacketWriter {
        // The slot's octets live as long as the worker, which outlives every packet.
        let memory = MutableSpan<UInt8>(_unsafeStart: reply.pointee.bytes, count: Int(reply.pointee.capacity))
        var writer = PacketWriter(_overrideLifetime(memory, copying: ()), code: code, identifier: packet[1])
        writer.setAuthenticator(authenticator(of: packet))
        return writer
    }

    /// Copies each Proxy-State of the request, in order (RFC 2865 §5.33).
    @_lifetime(writer: copy writer)
    func echoProxyState(_ request: RequestAttributes, _ writer: inout PacketWriter) {
        var next = request.first(.proxyState)
        while let range = next {
            writer.append(AttributeNumber.proxyState, request.octets(range))
            next = request.next(.proxyState, after: range)
        }
    }

    /// Completes the packet that `writer` holds; it is signed with the rest of the batch.
    mutating func finish(
        _ writer: consuming PacketWriter, to client: UnsafePointer<ClientRow>, _ reply: UnsafeMutablePointer<lm_datagram>
    ) {
        let finished = writer.finish()
        reply.pointee.count = UInt32(truncatingIfNeeded: finished.count)
        let offset = finished.messageAuthenticatorOffset.map { $0 &+ 2 } ?? 0
        addReply(UnsignedReply(reply: reply, client: client, signatureOffset: offset, isSigned: false))
    }

    mutating func addReply(_ reply: UnsignedReply) {
        precondition(batch.replyCount < PacketBatch.capacity)
        batch.replies[batch.replyCount] = reply
        batch.replyCount &+= 1
    }

    /// Signs all replies of the batch: Message-Authenticators side by side, then Response Authenticators.
    mutating func signReplies() {
        batch.removeJobs()
        for position in 0..<batch.replyCount {
            let entry = batch.replies + position
            guard !entry.pointee.isSigned, entry.pointee.signatureOffset > 0, entry.pointee.client.pointee.isBatched else { continue }
            let reply = entry.pointee.reply
            _ = batch.addInner(reply.pointee.bytes, count: Int(reply.pointee.count), entry.pointee.client.pointee.key)
        }
        batch.digest()
        var job = 0
        for position in 0..<batch.replyCount {
            let entry = batch.replies + position
            guard !entry.pointee.isSigned, entry.pointee.signatureOffset > 0, entry.pointee.client.pointee.isBatched else { continue }
            job = batch.addOuter(job, entry.pointee.client.pointee.key) &+ 1
        }
        batch.digestOuters()
        respond()
    }

    private mutating func respond() {
        let outers = batch.outers
        batch.removeJobs()
        var outer = 0
        for position in 0..<batch.replyCount {
            let entry = batch.replies + position
            guard !entry.pointee.isSigned else { continue }
            let client = entry.pointee.client
            guard client.pointee.isBatched else {
                signAlone(entry.pointee)
                continue
            }
            let reply = entry.pointee.reply
            if entry.pointee.signatureOffset > 0 {
                outers[outer].store(to: reply.pointee.bytes + entry.pointee.signatureOffset)
                outer &+= 1
            }
            _ = batch.addWhole(reply.pointee.bytes, count: Int(reply.pointee.count), client.pointee.key)
        }
        batch.digest()
        var job = 0
        for position in 0..<batch.replyCount {
            let entry = batch.replies + position
            guard !entry.pointee.isSigned, entry.pointee.client.pointee.isBatched else { continue }
            batch.jobs[job].store(to: entry.pointee.reply.pointee.bytes + 4)
            job &+= 1
        }
    }

    /// For a secret that does not fit behind a packet.
    private func signAlone(_ entry: UnsignedReply) {
        let reply = entry.reply.pointee
        guard let start = reply.bytes else { return }
        let authenticator = Self.authenticator(of: start)
        var bytes = MutableSpan(_unsafeStart: start, count: Int(reply.count))
        let secret = entry.client.pointee.client.secret
        if entry.signatureOffset > 0 {
            MessageAuthenticator.sign(&bytes, attributeOffset: entry.signatureOffset - 2, authenticator: authenticator, secret: secret)
        }
        ResponseAuthenticator.sign(&bytes, requestAuthenticator: authenticator, secret: secret)
    }

    /// Octets 4..<20.
    static func authenticator(of packet: UnsafePointer<UInt8>) -> Digest16 {
        UnsafeRawPointer(packet).loadUnaligned(fromByteOffset: 4, as: Digest16.self)
    }

    static func address(of datagram: UnsafePointer<lm_datagram>) -> IPAddress {
        let octets = UnsafeRawPointer(datagram) + (MemoryLayout<lm_datagram>.offset(of: \.peer.octets) ?? 0)
        return IPAddress(octets: UnsafeRawBufferPointer(start: octets, count: 16))
    }

    static func key(of work: PacketWork) -> ReplyCache.Key {
        let packet = UnsafeRawPointer(work.packet)
        // Clients that share an address must not get each other's replies.
        let source = address(of: work.datagram)
        return ReplyCache.Key(
            address: IPAddress(high: source.high ^ work.client.pointee.mark, low: source.low), port: work.datagram.pointee.peer.port,
            identifier: work.packet[1], code: work.packet[0],
            authenticatorHigh: packet.loadUnaligned(fromByteOffset: 4, as: UInt64.self),
            authenticatorLow: packet.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
    }
}
