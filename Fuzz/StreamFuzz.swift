// Compiled into one module with the core of Sources/RadiusCore by scripts/fuzz; libFuzzer calls `fuzzStream` with bytes of its invention.
//
// The first two bytes say how the rest, a stream of packets or of anything else, is divided on its way. However it is, the packets that are
// found, what is left over and the length that is refused must be those of a simple cut of the whole.

/// What a framer makes of a stream.
private struct Cut: Equatable {
    var packets: [[UInt8]] = []
    var left = 0
    var refused: Int?
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStream(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard input.count > 2 else { return 0 }
    let stream = Array(input[2...])
    let found = framed(stream, step: Int(input[0]) + 1, stride: Int(input[1]) * 17)
    precondition(found == simple(stream), "the packets depend on how the octets came")
    return 0
}

/// By the framer, in portions of `step` octets and more by turns.
private func framed(_ stream: [UInt8], step: Int, stride: Int) -> Cut {
    var cut = Cut()
    var framer = StreamFramer()
    var (start, turn) = (0, 0)
    while start < stream.count, cut.refused == nil {
        let end = min(stream.count, start + step + (turn % 3) * stride)
        framer.append(stream.span.extracting(start..<end))
        (start, turn) = (end, turn + 1)
        take(&framer, &cut)
        precondition(cut.refused != nil || framer.count < 4096, "more than a packet is left over")
    }
    cut.left = cut.refused == nil ? framer.count : 0
    return cut
}

private func take(_ framer: inout StreamFramer, _ cut: inout Cut) {
    do throws(StreamFramer.BadLength) {
        while let length = try framer.next() {
            let packet = [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
                if let place = buffer.baseAddress { framer.take(length, into: place) }
                filled = length
            }
            cut.packets.append(packet)
        }
    } catch {
        cut.refused = error.length
    }
}

/// The same without a framer.
private func simple(_ stream: [UInt8]) -> Cut {
    var cut = Cut()
    var rest = stream[...]
    while rest.count >= 4 {
        let length = Int(rest[rest.startIndex + 2]) << 8 | Int(rest[rest.startIndex + 3])
        guard (20...4096).contains(length) else {
            cut.refused = length
            return cut
        }
        guard rest.count >= length else { break }
        cut.packets.append(Array(rest.prefix(length)))
        rest = rest.dropFirst(length)
    }
    cut.left = rest.count
    return cut
}
