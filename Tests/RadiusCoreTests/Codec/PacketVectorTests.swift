import Testing

@testable import RadiusCore

/// Runs the vectors of `Tests/Vectors/packets-*.txt`.
@Suite struct PacketVectorTests {
    private let dictionary: RadiusDictionary

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    @Test(arguments: PacketVector.files)
    func holds(_ file: String) throws {
        let vectors = try PacketVector.read(file)
        #expect(vectors.count >= 6)
        for vector in vectors {
            switch vector.kind {
            case .packet: try checkPacket(vector)
            case .malformed: checkMalformed(vector)
            case .attributes:
                checkDecoding(vector)
                checkEncoding(vector)
            case .decode: checkDecoding(vector)
            case .encode: checkEncoding(vector)
            }
        }
    }

    private func checkPacket(_ vector: PacketVector) throws {
        let packet = try PacketText.describe(
            vector.octets.span, dictionary: dictionary, secret: vector.secret, requestAuthenticator: vector.request)
        expectLines(packet.pairs.map { $0.description }, vector)
        #expect(packet.paddingOctets == vector.padding, "\(vector.title)")
        if let expected = vector.authenticator { #expect(packet.packetAuthenticator == expected, "\(vector.title)") }
        if let expected = vector.messageAuthenticator { #expect(packet.messageAuthenticator == expected, "\(vector.title)") }
    }

    private func checkMalformed(_ vector: PacketVector) {
        do {
            let pairs = try AttributeDecoder.decode(vector.octets.span, dictionary: dictionary)
            Issue.record("\(vector.title): decoded to \(pairs)")
        } catch {
            #expect("\(error)" == vector.reason, "\(vector.title)")
        }
    }

    private func checkDecoding(_ vector: PacketVector) {
        let keys = vector.secret.flatMap { secret in vector.request.map { RevealKeys(secret: secret, authenticator: $0) } }
        do {
            let pairs = try AttributeDecoder.decode(attributes: vector.octets.span, dictionary: dictionary, keys: keys)
            expectLines(pairs.map { $0.description }, vector)
        } catch {
            Issue.record("\(vector.title): \(error)")
        }
    }

    private func expectLines(_ lines: [String], _ vector: PacketVector) {
        #expect(lines.count == vector.pairs.count, "\(vector.title): \(lines)")
        for (line, expected) in zip(lines, vector.pairs) { #expect(line == expected, "\(vector.title)") }
    }

    private func checkEncoding(_ vector: PacketVector) {
        do {
            let pairs = try vector.pairs.map { line throws(AttributeTextError) in try AttributeText(line: line) }
            let octets = try AttributeEncoder.encode(pairs, dictionary: dictionary)
            #expect(OctetText.hexadecimal(octets) == OctetText.hexadecimal(vector.octets), "\(vector.title)")
        } catch {
            Issue.record("\(vector.title): \(error)")
        }
    }
}
