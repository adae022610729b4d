import Glibc

// Compiled with the decoder of Sources/RadiusCore into one optimised program by scripts/bench. Arguments: root dictionaries.

@main
struct DecoderBench {
    static func main() throws {
        row("what", "result", "of")
        for path in CommandLine.arguments.dropFirst() { try loadDictionary(path) }
        try indexPackets()
    }

    /// The median of 15 loads, the page cache warm.
    private static func loadDictionary(_ path: String) throws {
        var times: [Duration] = []
        let warm = try RadiusDictionary.load(path: path)
        for _ in 0..<15 {
            let start = ContinuousClock.now
            let dictionary = try RadiusDictionary.load(path: path)
            times.append(ContinuousClock.now - start)
            precondition(dictionary.attributeCount == warm.attributeCount)
        }
        times.sort()
        row("load \(path)", "\(tenths(times[times.count / 2] / .microseconds(100))) ms", "\(warm.attributeCount) attributes")
    }

    /// An Access-Request of 25 attributes, walked and checked.
    private static func indexPackets() throws {
        var packet: [UInt8] = [1, 1, 0, 0] + [UInt8](repeating: 7, count: 16)
        for number in 0..<25 { packet += [UInt8(number + 1), 8, 1, 2, 3, 4, 5, 6] }
        packet[3] = UInt8(packet.count)
        var index = AttributeIndex()
        let rounds = 2_000_000
        var found = 0
        let start = ContinuousClock.now
        for round in 0..<rounds {
            packet[19] = UInt8(truncatingIfNeeded: round)
            try index.fill(from: packet.span)
            found += index.first(25)?.offset ?? 0
        }
        let time = ContinuousClock.now - start
        precondition(found == rounds * (packet.count - 6))
        row("index a packet", "\(tenths(time / .nanoseconds(1) * 10 / Double(rounds))) ns", "25 attributes")
    }

    private static func tenths(_ value: Double) -> String {
        let rounded = Int(value.rounded())
        return "\(rounded / 10).\(rounded % 10)"
    }

    private static func row(_ what: String, _ result: String, _ of: String) {
        print(pad(what, 48), pad(result, 14), of)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
