import Testing

@testable import RadiusCore

/// Packets that are too short, altered, or signed with another secret. What is right is in `Tests/Vectors`.
@Suite struct AuthenticatorTests {
    private let secret = SharedSecret(Array("xyzzy5461".utf8))
    private let zeros = Digest16(repeating: 0)

    @Test(arguments: [0, 1, 19])
    func packetsBelowTwentyOctetsDoNotVerify(_ count: Int) {
        let packet = [UInt8](repeating: 0, count: count)
        let request = RequestAuthenticator.verify(packet.span, secret: secret)
        let reply = ResponseAuthenticator.verify(packet.span, requestAuthenticator: zeros, secret: secret)
        #expect(!request)
        #expect(!reply)
    }

    @Test(arguments: [-1, 0, 19, 21, 38, 39, Int.max])
    func messageAuthenticatorOutsideThePacketDoesNotVerify(_ offset: Int) {
        let packet = [UInt8](repeating: 0, count: 38)
        let verified = MessageAuthenticator.verify(packet.span, attributeOffset: offset, authenticator: zeros, secret: secret)
        #expect(!verified)
    }

    @Test func everyAlteredOctetIsNoticed() throws {
        let vectors = try VectorFile.read("signed-requests.txt")
        let vector = try #require(vectors.first { $0.kind == "request" })
        let packet = try vector.octets("packet")
        for i in packet.indices {
            var altered = packet
            altered[i] ^= 0x40
            let verified = RequestAuthenticator.verify(altered.span, secret: secret)
            #expect(!verified, "octet \(i)")
        }
    }

    @Test func anotherSecretDoesNotVerify() throws {
        let vectors = try VectorFile.read("signed-requests.txt")
        let vector = try #require(vectors.first { $0.kind == "request" })
        let packet = try vector.octets("packet")
        let verified = RequestAuthenticator.verify(packet.span, secret: SharedSecret(Array("xyzzy5462".utf8)))
        #expect(!verified)
    }

    @Test func comparisonSeesLengthAndEveryOctet() {
        let first: [UInt8] = [1, 2, 3]
        func equal(_ second: [UInt8]) -> Bool { ConstantTime.equal(first.span, second.span) }
        #expect(equal([1, 2, 3]))
        #expect(!equal([1, 2]))
        #expect(!equal([1, 2, 3, 0]))
        #expect(!equal([0, 2, 3]))
        #expect(!equal([1, 2, 2]))
    }
}
