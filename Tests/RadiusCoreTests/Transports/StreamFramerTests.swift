import Support
import Testing

@testable import RadiusCore

@Suite struct StreamFramerTests {
    private static func packets(_ random: inout SeededGenerator) -> [[UInt8]] {
        (0..<Int.random(in: 1...12, using: &random)).map { _ in
            let shapes = [20, 21, 4095, 4096, Int.random(in: 20...4096, using: &random), Int.random(in: 20...200, using: &random)]
            let length = shapes.randomElement(using: &random) ?? 20
            var packet = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            (packet[2], packet[3]) = (UInt8(length >> 8), UInt8(length & 0xff))
            return packet
        }
    }

    private static func drain(_ framer: inout StreamFramer) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        while let length = try framer.next() {
            var packet = [UInt8](repeating: 0, count: length)
            packet.withUnsafeMutableBufferPointer { buffer in
                if let start = buffer.baseAddress { framer.take(length, into: start) }
            }
            found.append(packet)
        }
        return found
    }

    /// The length that `framer` refuses; nil when it refuses nothing.
    private static func badLength(_ framer: inout StreamFramer) -> Int? {
        do throws(StreamFramer.BadLength) {
            _ = try framer.next()
            return nil
        } catch {
            return error.length
        }
    }

    @Test func anyDivisionOfTheOctetsGivesTheSamePackets() throws {
        var random = SeededGenerator(state: 6613)
        for _ in 0..<300 {
            let packets = Self.packets(&random)
            let stream = packets.flatMap { $0 }
            let largest = [1, 2, 5, 64, 5000, stream.count].randomElement(using: &random) ?? 1
            var framer = StreamFramer()
            var found: [[UInt8]] = []
            var start = 0
            while start < stream.count {
                let end = min(stream.count, start + Int.random(in: 1...largest, using: &random))
                framer.append(stream.span.extracting(start..<end))
                found += try Self.drain(&framer)
                #expect(framer.count < PacketHeader.maximumLength)
                start = end
            }
            #expect(found == packets)
            #expect(framer.count == 0)
        }
    }

    @Test(arguments: [0, 1, 19, 4097, 65_535])
    func refusesALengthThatNoPacketHasBeforeTheRestIsThere(length: Int) throws {
        var framer = StreamFramer()
        let octets = [1, 1, UInt8(length >> 8), UInt8(length & 0xff)]
        framer.append(octets.span.extracting(0..<3))
        let early = try Self.drain(&framer)
        framer.append(octets.span.extracting(3..<4))
        #expect(early.isEmpty && Self.badLength(&framer) == length)
    }

    @Test func anythingAtAllEitherWaitsOrIsPacketsOfPossibleLengths() throws {
        var random = SeededGenerator(state: 2083)
        for _ in 0..<2000 {
            var framer = StreamFramer()
            let octets = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...3, using: &random) }
            framer.append(octets.span)
            let before = framer.count
            if let found = try? Self.drain(&framer) {
                #expect(found.allSatisfy { (20...4096).contains($0.count) })
                #expect(found.reduce(framer.count) { $0 + $1.count } == before)
            } else {
                #expect(Self.badLength(&framer).map { !(20...4096).contains($0) } == true)
            }
        }
    }
}
