extension AttributePath {
    /// The name of an attribute that no dictionary names, in the form that the field knows: `Attr-` and the numbers, such as
    /// `Attr-250`, `Attr-26.9.1`, `Attr-241.7`, `Attr-245.26.11344.1`.
    public var unnamed: String {
        let place = base == 0 ? [] : base == 26 ? [26, vendor] : [UInt32(base), 26, vendor]
        return "Attr-" + (place + numbers).map { String($0) }.joined(separator: ".")
    }

    /// The path that `unnamed` gave, or nil when `name` is not of that form.
    public init?(unnamed name: some StringProtocol) {
        guard name.utf8.count > 5, name.prefix(5).lowercased() == "attr-" else { return nil }
        var numbers: [UInt32] = []
        for part in name.dropFirst(5).split(separator: ".", omittingEmptySubsequences: false) {
            guard let number = NumberText.decimal(part.utf8), let fitting = UInt32(exactly: number) else { return nil }
            numbers.append(fitting)
        }
        guard numbers.count <= 8, numbers[0] <= 255 else { return nil }
        if numbers[0] == 26, numbers.count > 1 {
            guard numbers.count > 2, numbers[1] >> 24 == 0 else { return nil }
            self.init(base: 26, vendor: numbers[1], numbers: Array(numbers[2...]))
        } else if (241...246).contains(numbers[0]), numbers.count > 3, numbers[1] == 26 {
            guard numbers[2] >> 24 == 0 else { return nil }
            self.init(base: UInt8(numbers[0]), vendor: numbers[2], numbers: Array(numbers[3...]))
        } else {
            self.init(numbers: numbers)
        }
    }

    /// The path one TLV level below.
    func member(_ number: UInt32) -> AttributePath {
        AttributePath(base: base, vendor: vendor, numbers: numbers + [number])
    }
}
