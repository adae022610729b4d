import RadiusCore
import Testing

@Suite struct EAPTLSFragmentsTests {
    private static let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    @Test(arguments: [1, 58, 63, 64, 126, 127, 1000], [64, 65, 100, 999, 1000, 1001, 1005, 65_000])
    func messagesArriveWholeInFragmentsOfAnySize(count: Int, limit: Int) throws {
        let message = Array(Self.message.prefix(count))
        var sender = EAPTLSFragments(fragmentLimit: limit)
        var receiver = EAPTLSFragments()
        var packet = sender.send(message)
        var packets = 1
        while true {
            #expect(packet.count <= limit)
            let incoming = try receiver.receive(packet.span)
            guard incoming == .fragment else {
                #expect(incoming == .message(message) && !sender.isSending)
                break
            }
            #expect(try sender.receive(receiver.acknowledgement.span) == .acknowledgement)
            let next = sender.nextFragment()
            packet = try #require(next)
            packets += 1
        }
        // A message of n fragments spends an octet in each on flags, and four in the first on the length.
        let expected = count < limit ? 1 : (count + 4 + limit - 2) / (limit - 1)
        #expect(packets == expected)
    }

    @Test func flagsAreThoseOfTheRFC() throws {
        var sender = EAPTLSFragments(fragmentLimit: 64, version: 1)
        #expect(sender.start == [0x21] && sender.acknowledgement == [0x01])
        let packets = [sender.send(Array(Self.message.prefix(150))), sender.nextFragment() ?? [], sender.nextFragment() ?? []]
        #expect(packets.map { $0[0] } == [0xc1, 0x41, 0x01])
        #expect(packets[0][1..<5] == [0, 0, 0, 150] && packets.map(\.count) == [64, 64, 29])
        #expect(sender.nextFragment() == nil)
        #expect(sender.send([1, 2]) == [0x01, 1, 2] && !sender.isSending)
        #expect(sender.send([]) == [0x01])
    }

    @Test func readsALengthInUnfragmentedAndInLaterPackets() throws {
        var receiver = EAPTLSFragments()
        #expect(try receiver.receive([0x80, 0, 0, 0, 2, 1, 2].span) == .message([1, 2]))
        #expect(try receiver.receive([0xc0, 0, 0, 0, 3, 1, 2].span) == .fragment)
        #expect(try receiver.receive([0x80, 0, 0, 0, 3, 3].span) == .message([1, 2, 3]))
        // Without any length at all, too.
        #expect(try receiver.receive([0x40, 1].span) == .fragment)
        #expect(try receiver.receive([0x00, 2].span) == .message([1, 2]))
    }

    @Test(arguments: [[], [0], [0x05], [0x80, 0, 0, 0, 0], [0x80, 0, 0, 0, 9]] as [[UInt8]])
    func emptyPacketsAcknowledge(packet: [UInt8]) throws {
        var receiver = EAPTLSFragments()
        #expect(try receiver.receive(packet.span) == .acknowledgement)
        #expect(receiver.peerVersion == (packet.first ?? 0) & 7)
        // A length in one means nothing to what follows.
        #expect(try receiver.receive([0x00, 7].span) == .message([7]))
    }

    @Test(
        arguments: [
            ([0x80], .truncated), ([0x80, 0, 0, 0], .truncated), ([0x80, 0, 0, 0, 1, 1, 2], .lengthMismatch),
            ([0x80, 0, 0, 0, 3, 1, 2], .lengthMismatch), ([0xc0, 0, 0, 0, 1, 1, 2], .lengthMismatch),
            ([0xc0, 0xff, 0xff, 0xff, 0xff, 1], .tooLong), ([0x80, 0, 1, 0, 1], .tooLong), ([0x40], .emptyFragment),
            ([0xc0, 0, 0, 0, 5], .emptyFragment), ([0x20, 1], .unexpectedStart),
        ] as [([UInt8], EAPTLSFragmentError)])
    func refuses(packet: [UInt8], error: EAPTLSFragmentError) {
        var receiver = EAPTLSFragments()
        #expect(throws: error) { try receiver.receive(packet.span) }
    }

    @Test(
        arguments: [
            ([0xc0, 0, 0, 0, 9, 1], [0xc0, 0, 0, 0, 8, 1], .lengthMismatch), ([0xc0, 0, 0, 0, 3, 1], [0x00, 2], .lengthMismatch),
            ([0xc0, 0, 0, 0, 3, 1], [0x00], .lengthMismatch), ([0x40, 1], [0x20], .unexpectedStart), ([0x40, 1], [0x40], .emptyFragment),
            ([0xc0, 0, 0, 0, 3, 1], [0x00, 2, 3, 4], .lengthMismatch),
        ] as [([UInt8], [UInt8], EAPTLSFragmentError)])
    func refusesTheSecond(first: [UInt8], second: [UInt8], error: EAPTLSFragmentError) throws {
        var receiver = EAPTLSFragments()
        #expect(try receiver.receive(first.span) == .fragment)
        #expect(throws: error) { try receiver.receive(second.span) }
    }

    @Test func refusesDataWhileItsOwnFragmentsWait() throws {
        var fragments = EAPTLSFragments(fragmentLimit: 64)
        _ = fragments.send(Self.message)
        #expect(throws: EAPTLSFragmentError.unexpectedData) { try fragments.receive([0, 1].span) }
        #expect(throws: EAPTLSFragmentError.unexpectedStart) { try fragments.receive([0x20].span) }
    }

    @Test func endlessMessagesStopAtTheLimit() throws {
        var receiver = EAPTLSFragments(messageLimit: 1000)
        let packet = [0x40] + [UInt8](repeating: 1, count: 100)
        for _ in 0..<10 { #expect(try receiver.receive(packet.span) == .fragment) }
        #expect(throws: EAPTLSFragmentError.tooLong) { try receiver.receive(packet.span) }
    }

    @Test func seesTheStartOfAServer() throws {
        var peer = EAPTLSFragments()
        #expect(try peer.receive([0x21].span) == .start && peer.peerVersion == 1)
    }
}
