/// `numeric_send`: digit groups of 10,000 with weight, sign and display scale, to decimal text.
enum NumericText {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard let count = FieldDecoder.bigEndian(bytes, as: Int16.self), count >= 0,
            let weight = FieldDecoder.bigEndian(bytes, at: 2, as: Int16.self),
            let sign = FieldDecoder.bigEndian(bytes, at: 4, as: UInt16.self),
            let scale = FieldDecoder.bigEndian(bytes, at: 6, as: UInt16.self),
            bytes.count == 8 + 2 * Int(count)
        else { return nil }
        switch sign {
        case 0xC000: return "NaN"
        case 0xD000: return "Infinity"
        case 0xF000: return "-Infinity"
        default: break
        }
        func group(_ power: Int) -> Int {
            let index = Int(weight) - power
            guard index >= 0, index < Int(count) else { return 0 }
            return Int(FieldDecoder.bigEndian(bytes, at: 8 + 2 * index, as: Int16.self) ?? 0)
        }
        return (sign == 0x4000 ? "-" : "") + whole(Int(weight), group) + fraction(Int(scale), group)
    }

    private static func whole(_ weight: Int, _ group: (Int) -> Int) -> String {
        guard weight >= 0 else { return "0" }
        return stride(from: weight, through: 0, by: -1).reduce(into: "") { text, power in
            text += text.isEmpty ? String(group(power)) : padded(group(power))
        }
    }

    private static func fraction(_ scale: Int, _ group: (Int) -> Int) -> String {
        guard scale > 0 else { return "" }
        let groups = (scale + 3) / 4
        return "." + (1...groups).map { padded(group(-$0)) }.joined().prefix(scale)
    }

    private static func padded(_ value: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
