import Testing

@testable import RadiusCore

/// Conversations that other programs had, with the peer's packets as they were and the server's random numbers.
@Suite struct EAPRecordingTests {
    private static func desk(_ vector: Vector) throws -> EAPDesk {
        let user = String(decoding: try vector.octets("user"), as: UTF8.self)
        let desk = EAPDesk([user: EAPAccount(.clearText(try vector.octets("password")))])
        desk.serverName = String(decoding: try vector.octets("server-name"), as: UTF8.self)
        desk.random = try vector.octets("challenges")
        return desk
    }

    @Test func theServerSaysWhatTheOtherServerSaid() throws {
        let vectors = try VectorFile.read("eap.txt").filter { $0.kind == "eap" }
        #expect(vectors.count == 4)
        for vector in vectors {
            let desk = try Self.desk(vector)
            var session = EAPSession()
            var last = EAPSession.Action.request([])
            for number in 1...3 {
                last = session.receive(try vector.octets("peer-\(number)"), desk.surroundings)
                #expect(try last.packet == vector.octets("server-\(number)"), "\(vector.testDescription), packet \(number)")
            }
            guard case .success(_, let keys) = last else {
                #expect(vector.fields["receive-key"] == nil && last.packet[0] == 4)
                continue
            }
            #expect(keys?.receive == vector.fields["receive-key"])
            #expect(keys?.send == vector.fields["send-key"])
        }
    }

    @Test func aWrongMSCHAPv2PasswordIsRefusedForGood() throws {
        let vector = try #require(VectorFile.read("eap.txt").first { $0.kind == "eap-refused" })
        let desk = try Self.desk(vector)
        var session = EAPSession()
        #expect(try session.receive(vector.octets("peer-1"), desk.surroundings).packet == vector.octets("server-1"))
        let failure = session.receive(try vector.octets("peer-2"), desk.surroundings).packet
        #expect(failure[0] == 1 && failure[4] == 26 && failure[5] == 4 && failure[6] == 0xb4)
        #expect(failure.count == Int(failure[3]) && failure.count == Int(failure[8]) + 5)
        let text = String(decoding: failure[9...], as: UTF8.self)
        #expect(text == "E=691 R=0 C=4CA513247238EEF476A4A81869839F82 V=3 M=")
        #expect(session.receive([2, failure[1], 0, 6, 26, 4], desk.surroundings) == .failure([4, failure[1], 0, 4], .wrongPassword))
    }
}
