@testable import RadiusCore

/// The octets of an inline array, to compare and to print.
func octets<let n: Int>(_ array: InlineArray<n, UInt8>) -> [UInt8] {
    array.indices.map { array[$0] }
}

/// The 16 octets of a slice as a digest.
func digest16(_ slice: ArraySlice<UInt8>) -> Digest16 {
    precondition(slice.count == 16)
    return InlineArray { slice[slice.startIndex + $0] }
}

/// Lends an array as a mutable span.
func withMutableSpan(_ array: inout [UInt8], _ body: (inout MutableSpan<UInt8>) -> Void) {
    var span = array.mutableSpan
    body(&span)
}

/// What `body` writes into a buffer of `capacity` octets; it returns how many.
func filling(_ capacity: Int, _ body: (inout MutableSpan<UInt8>) throws -> Int) rethrows -> [UInt8] {
    var buffer = [UInt8](repeating: 0xee, count: capacity)
    var span = buffer.mutableSpan
    let count = try body(&span)
    return Array(buffer[..<count])
}
