import Glibc

/// Writes a line for each accounting record that the server acknowledged: what must not be lost from then on.
///
/// `SESSION STATUS INPUT OUTPUT SECONDS`, separated by tabs. Lines of one thread leave in one write, in the order of the replies; the
/// file is opened for appending, so that threads do not cut each other's lines.
struct AcknowledgedLog: ~Copyable {
    private let fd: Int32
    private let buffer: UnsafeMutablePointer<UInt8>
    private static let capacity = 16_384
    private static let lineLimit = 128
    private var count = 0
    /// The file could not be written.
    private(set) var isBroken = false

    init(fd: Int32) {
        self.fd = fd
        buffer = .allocate(capacity: Self.capacity)
    }

    deinit { buffer.deallocate() }

    /// Adds a line.
    mutating func append(_ record: LoadRecord, run: [UInt8]) {
        guard fd >= 0 else { return }
        if count > Self.capacity - Self.lineLimit { flush() }
        for octet in run { put(octet) }
        put(UInt8(ascii: "-"))
        number(record.session)
        for value in [record.statusNumber, record.inputOctets, record.outputOctets, record.seconds] {
            put(UInt8(ascii: "\t"))
            number(value)
        }
        put(UInt8(ascii: "\n"))
    }

    /// Hands all lines to the kernel.
    mutating func flush() {
        var start = 0
        while start < count {
            let written = write(fd, buffer + start, count - start)
            if written < 0 {
                if errno == EINTR { continue }
                isBroken = true
                break
            }
            start += written
        }
        count = 0
    }

    private mutating func put(_ octet: UInt8) {
        buffer[count] = octet
        count += 1
    }

    private mutating func number(_ value: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        let length = LoadRecord.decimal(value, into: &digits)
        for position in 0..<length { put(digits[position]) }
    }
}

/// One accounting record of a generated session; all of it follows from session number and step.
struct LoadRecord: BitwiseCopyable {
    let session: UInt64
    let step: UInt16
    let isStop: Bool

    /// Acct-Status-Type (RFC 2866 §5.1).
    var statusNumber: UInt64 { isStop ? 2 : step == 0 ? 1 : 3 }
    var seconds: UInt64 { UInt64(step) * 300 }
    /// From the subscriber.
    var inputOctets: UInt64 { UInt64(step) * (1_000_003 + session % 97 * 1009) }
    /// To the subscriber; beyond 32 bits from the seventh record on.
    var outputOctets: UInt64 { UInt64(step) * (700_000_000 + session % 89 * 10_007) }

    /// Writes the digits of `value`; returns how many.
    static func decimal(_ value: UInt64, into digits: inout InlineArray<20, UInt8>) -> Int {
        var rest = value
        var length = 1
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        rest = value
        for position in 0..<length {
            digits[length - 1 - position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return length
    }
}
