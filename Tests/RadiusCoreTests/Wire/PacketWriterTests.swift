import Testing

@testable import RadiusCore

@Suite struct PacketWriterTests {
    /// What `body` writes into a buffer of `capacity` octets, and whether something did not fit.
    private func written(
        _ capacity: Int, limit: Int = 4096, _ body: (inout PacketWriter) -> Void
    ) -> (octets: [UInt8], overflowed: Bool, messageAuthenticator: Int?) {
        var buffer = [UInt8](repeating: 0xee, count: capacity)
        var writer = PacketWriter(buffer.mutableSpan, code: .accessAccept, identifier: 9, limit: limit)
        body(&writer)
        let overflowed = writer.overflowed
        let finished = writer.finish()
        return (Array(buffer[..<finished.count]), overflowed, finished.messageAuthenticatorOffset)
    }

    private let header: [UInt8] = [2, 9, 0, 20] + [UInt8](repeating: 0, count: 16)

    @Test func writesAHeader() {
        #expect(written(20) { _ in }.octets == header)
    }

    @Test func writesAttributesInOrder() {
        let value: [UInt8] = [0x61, 0x62]
        let result = written(100) { writer in
            writer.reserveMessageAuthenticator()
            writer.append(18, value.span)
            writer.append(27, 0x0102_0304)
            writer.append(vendor: 14988, 8, value.span)
            writer.setCode(.accessReject)
            writer.setAuthenticator(InlineArray<16, UInt8>(repeating: 7))
        }
        let expected: [UInt8] =
            [3, 9, 0, 58] + [UInt8](repeating: 7, count: 16) + [80, 18] + [UInt8](repeating: 0, count: 16)
            + [18, 4, 0x61, 0x62, 27, 6, 1, 2, 3, 4, 26, 10, 0, 0, 0x3a, 0x8c, 8, 4, 0x61, 0x62]
        #expect(result.octets == expected)
        #expect(result.messageAuthenticator == 20)
        #expect(!result.overflowed)
    }

    @Test func leavesOutWholeWhatDoesNotFit() {
        let value = [UInt8](repeating: 1, count: 10)
        let encoded: [UInt8] = [1, 3, 0x61]
        let result = written(30) { writer in
            writer.append(1, value.span)
            writer.append(27, 5)
            writer.append(vendor: 9, 1, value.span)
            writer.reserveMessageAuthenticator()
            writer.append(encoded: encoded.span)
            writer.append(encoded: encoded.span)
        }
        #expect(result.overflowed)
        #expect(result.messageAuthenticator == nil)
        #expect(result.octets == [2, 9, 0, 29] + header[4...] + [27, 6, 0, 0, 0, 5, 1, 3, 0x61])
    }

    @Test func fillsItsBufferToTheLastOctet() {
        let value = [UInt8](repeating: 1, count: 8)
        let result = written(30) { $0.append(1, value.span) }
        #expect(!result.overflowed)
        #expect(result.octets.count == 30)
    }

    @Test func obeysALimitBelowTheBuffer() {
        let result = written(100, limit: 25) { $0.append(27, 5) }
        #expect(result.overflowed)
        #expect(result.octets == header)
    }

    @Test func refusesValuesLongerThanAnAttribute() {
        let value = [UInt8](repeating: 1, count: 254)
        #expect(written(1000) { $0.append(1, value.span) }.overflowed)
        #expect(written(1000) { $0.append(1, value.span.extracting(0..<253)) }.octets.count == 275)
        #expect(written(1000) { $0.append(vendor: 9, 1, value.span.extracting(0..<248)) }.overflowed)
        #expect(written(1000) { $0.append(vendor: 9, 1, value.span.extracting(0..<247)) }.octets.count == 275)
    }

    @Test func writesNoMoreThanTheStandardAllows() {
        let value = [UInt8](repeating: 1, count: 253)
        let result = written(9000) { writer in
            for _ in 0..<20 { writer.append(1, value.span) }
        }
        #expect(result.overflowed)
        #expect(result.octets.count == 20 + 15 * 255)
    }

    @Test func forgetsWhatIsTruncated() {
        let result = written(100) { writer in
            writer.append(27, 5)
            let mark = writer.count
            writer.append(28, 6)
            writer.truncate(to: mark)
        }
        #expect(result.octets == [2, 9, 0, 26] + header[4...] + [27, 6, 0, 0, 0, 5])
    }
}
