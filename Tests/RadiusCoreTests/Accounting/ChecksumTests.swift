import CLinux
import Testing

@Suite struct ChecksumTests {
    /// RFC 3720 appendix B.4.
    @Test func agreesWithTheRFC() {
        let vectors: [([UInt8], UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            ((0..<32).map { $0 }, 0x46dd_794e), ((0..<32).reversed(), 0x113f_db5c),
        ]
        for (octets, expected) in vectors {
            #expect(lm_crc32c(0, octets, octets.count) == expected)
            #expect(lm_crc32c_table(0, octets, octets.count) == expected)
        }
    }

    @Test func theProcessorAndTheTableAgreeAtEveryLengthAndPlace() {
        let octets = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        octets.withUnsafeBufferPointer { all in
            for start in 0..<9 {
                for count in 0..<(all.count - start) {
                    let piece = UnsafeBufferPointer(rebasing: all[start..<start + count])
                    let seed = UInt32(truncatingIfNeeded: count &* 2_654_435_761)
                    #expect(lm_crc32c(seed, piece.baseAddress, count) == lm_crc32c_table(seed, piece.baseAddress, count))
                }
            }
        }
    }
}
