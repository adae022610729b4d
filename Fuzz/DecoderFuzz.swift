import Glibc

// Compiled into one module with the decoder of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzDecoder` with bytes of its invention.

private let dictionary: RadiusDictionary = {
    guard let path = getenv("LASTMILE_FUZZ_DICTIONARY") else { preconditionFailure("LASTMILE_FUZZ_DICTIONARY is not set") }
    do throws(DictionaryError) {
        return try RadiusDictionary.load(path: String(cString: path))
    } catch {
        preconditionFailure("\(error)")
    }
}()

private let secret = SharedSecret(Array("xyzzy5461".utf8))

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoder(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var datagram = Array(UnsafeBufferPointer(start: bytes, count: count))
    readPacket(datagram)
    // Most mutations break the Length field, which would end every walk before it began.
    if datagram.count >= PacketHeader.count, datagram.count <= PacketHeader.maximumLength {
        datagram[2] = UInt8(datagram.count >> 8)
        datagram[3] = UInt8(datagram.count & 0xff)
        readPacket(datagram)
    }
    return 0
}

private func readPacket(_ datagram: [UInt8]) {
    do throws(DecodeError) {
        let length = try PacketHeader.length(of: datagram.span)
        precondition(length >= PacketHeader.count && length <= datagram.count)
        let packet = Array(datagram[..<length])
        try walkIndex(of: packet)
        let described = try PacketText.describe(datagram.span, dictionary: dictionary, secret: secret)
        precondition(!described.description.isEmpty)
        encodeAgain(try AttributeDecoder.decode(packet.span, dictionary: dictionary))
    } catch {
        // Malformed packets are what most of the inputs are.
    }
}

/// The index covers the attributes without a gap, and what is read through it never leaves the packet.
private func walkIndex(of packet: [UInt8]) throws(DecodeError) {
    var index = AttributeIndex()
    try index.fill(from: packet.span)
    var end = PacketHeader.count
    for position in 0..<index.count {
        let location = index[position]
        precondition(location.start == end && location.offset + location.count <= packet.count)
        precondition(index.first(location.type) != nil && index.contains(location.type))
        end = location.offset + location.count
        walkMembers(of: location, in: packet)
        readSecrets(at: location, in: packet)
    }
    precondition(end == packet.count)
    if let location = index.first(AttributeNumber.messageAuthenticator) {
        _ = MessageAuthenticator.verify(
            packet.span, attributeOffset: location.start, authenticator: authenticator(of: packet), secret: secret)
    }
    _ = RequestAuthenticator.verify(packet.span, secret: secret)
}

private func walkMembers(of location: AttributeLocation, in packet: [UInt8]) {
    if let shape = ExtendedAttribute.shape(of: location.type), let extended = ExtendedAttribute(location, shape, in: packet.span) {
        precondition(!extended.range.isEmpty && extended.range.upperBound == location.offset + location.count)
    }
    guard location.type == VendorAttribute.type, let attribute = VendorAttribute(location, in: packet.span) else { return }
    for (typeOctets, lengthOctets, continues) in [(1, 1, false), (1, 1, true), (2, 1, false), (2, 2, false), (4, 0, false), (1, 0, false)] {
        let format = VendorFormat(typeOctets: UInt8(typeOctets), lengthOctets: UInt8(lengthOctets), hasContinuation: continues)
        var cursor = attribute.members(format)
        var end = attribute.range.lowerBound
        while let member = cursor.next(in: packet.span) {
            precondition(member.range.lowerBound > end && member.range.upperBound <= attribute.range.upperBound)
            end = member.range.upperBound
        }
        precondition(cursor.isMalformed || end == attribute.range.upperBound)
    }
}

private func readSecrets(at location: AttributeLocation, in packet: [UInt8]) {
    let value = packet.span.extracting(location.range)
    let base = authenticator(of: packet)
    var clear = [UInt8](repeating: 0, count: 256)
    var room = clear.mutableSpan
    if let count = try? UserPassword.reveal(value, requestAuthenticator: base, secret: secret, into: &room) {
        precondition(count <= value.count)
    }
    if let count = try? SaltEncryption.reveal(value, authenticator: base, secret: secret, into: &room) {
        precondition(count < value.count)
    }
    _ = try? AscendSecret.reveal(value, requestAuthenticator: base, secret: secret, into: &room)
    _ = try? CHAP.verify(response: value, challenge: packet.span.extracting(4..<20), password: value)
}

/// Whatever was decoded encodes again, and then reads the same.
private func encodeAgain(_ pairs: [AttributePair]) {
    do {
        let attributes = try AttributeEncoder.encode(pairs, dictionary: dictionary)
        let again = try AttributeDecoder.decode(attributes: attributes.span, dictionary: dictionary)
        if again.map(\.description) != pairs.map(\.description) { fail(pairs, "became \(again.map(\.description))") }
    } catch {
        // Number 0 is reserved (RFC 2865 §5); it is shown, but not made.
        if !pairs.contains(where: { $0.path.numbers.contains(0) }) { fail(pairs, "does not encode: \(error)") }
    }
}

/// Says what broke, which an optimised build's `preconditionFailure` does not.
private func fail(_ pairs: [AttributePair], _ what: String) -> Never {
    var text = "\(pairs.map(\.description)) \(what)\n"
    _ = text.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    abort()
}

private func authenticator(of packet: [UInt8]) -> Digest16 { Digest16 { packet[4 + $0] } }
