import CLinux
import COpenSSL
import Testing

@testable import RadiusCore

@Suite struct MD5LanesTests {
    static let tiers: [UInt32] = [1, 4, 8, 16]

    /// Messages with room behind each for what ends a digest.
    private struct Messages: ~Copyable {
        static let room = 72
        let memory: UnsafeMutablePointer<UInt8>
        let stride: Int
        let lengths: [Int]

        init(_ lengths: [Int], random: inout SystemRandomNumberGenerator) {
            self.lengths = lengths
            stride = (lengths.max() ?? 0) + Self.room
            memory = .allocate(capacity: max(1, lengths.count) * stride)
            for position in 0..<lengths.count * stride { memory[position] = UInt8.random(in: 0...255, using: &random) }
        }

        deinit { memory.deallocate() }

        func start(_ position: Int) -> UnsafeMutablePointer<UInt8> { memory + position * stride }

        /// What OpenSSL makes of each message behind `prefix`.
        func expected(behind prefix: [UInt8] = []) -> [[UInt8]] {
            lengths.indices.map { position in
                let message = prefix + UnsafeBufferPointer(start: start(position), count: lengths[position])
                var digest = [UInt8](repeating: 0, count: 16)
                var count: UInt32 = 0
                _ = EVP_Digest(message, message.count, &digest, &count, EVP_md5(), nil)
                return digest
            }
        }

        /// Jobs that go on from `state`, which has taken in `octets` before.
        func jobs(from state: MD5State, after octets: Int = 0) -> [lm_md5_job] {
            lengths.indices.map { position in
                let length = lengths[position]
                let tail = lm_md5_end(start(position) + length, UInt32(length & 63), UInt64(octets + length))
                return lm_md5_job(state, start(position), length / 64 + Int(tail))
            }
        }
    }

    private func digests(_ jobs: [lm_md5_job]) -> [[UInt8]] {
        jobs.map { job in
            var digest = [UInt8](repeating: 0, count: 16)
            digest.withUnsafeMutableBufferPointer { buffer in
                if let start = buffer.baseAddress { job.store(to: start) }
            }
            return digest
        }
    }

    /// The tiers that this processor has; every one has at least the scalar code and four lanes.
    private func run(_ lanes: UInt32, _ jobs: inout [lm_md5_job]) -> Bool {
        let count = UInt32(jobs.count)
        let ran = jobs.withUnsafeMutableBufferPointer { lm_md5_many_with(lanes, $0.baseAddress, count) } == 1
        #expect(ran || lanes > 4)
        return ran
    }

    @Test(arguments: tiers) func agreesWithOpenSSLWhateverTheLengthsAndHowMany(lanes: UInt32) {
        var random = SystemRandomNumberGenerator()
        for count in Array(0...35) + [64, 65, 200] {
            let lengths = (0..<count).map { _ in Int.random(in: 0...(count % 3 == 0 ? 1500 : 200), using: &random) }
            let messages = Messages(lengths, random: &random)
            let expected = messages.expected()
            var jobs = messages.jobs(from: .beginning)
            guard run(lanes, &jobs) else { return }
            #expect(digests(jobs) == expected, "\(count) messages in \(lanes) lanes")
        }
    }

    @Test(arguments: tiers) func agreesForEveryLengthAroundABlocksEnd(lanes: UInt32) {
        var random = SystemRandomNumberGenerator()
        let messages = Messages(Array(0...200), random: &random)
        let expected = messages.expected()
        var jobs = messages.jobs(from: .beginning)
        guard run(lanes, &jobs) else { return }
        #expect(digests(jobs) == expected)
    }

    @Test(arguments: tiers) func goesOnFromAState(lanes: UInt32) {
        var random = SystemRandomNumberGenerator()
        let prefix = (0..<128).map { _ in UInt8.random(in: 0...255, using: &random) }
        var state = MD5State.beginning
        prefix.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            var job = lm_md5_job(.beginning, start, 2)
            lm_md5_many(&job, 1)
            (state.a, state.b, state.c, state.d) = job.state
        }
        let messages = Messages((0..<40).map { _ in Int.random(in: 0...300, using: &random) }, random: &random)
        let expected = messages.expected(behind: prefix)
        var jobs = messages.jobs(from: state, after: prefix.count)
        guard run(lanes, &jobs) else { return }
        #expect(digests(jobs) == expected)
    }

    @Test func aJobWithoutBlocksKeepsItsState() {
        for lanes in Self.tiers {
            var jobs = [lm_md5_job](repeating: lm_md5_job(blocks: nil, count: 0, state: (1, 2, 3, 4)), count: 3)
            guard run(lanes, &jobs) else { continue }
            #expect(jobs.allSatisfy { $0.state == (1, 2, 3, 4) })
        }
    }

    @Test func usesTheWidestVectorsThatThereAre() {
        var none: [lm_md5_job] = []
        let has = Self.tiers.filter { lanes in none.withUnsafeMutableBufferPointer { lm_md5_many_with(lanes, $0.baseAddress, 0) } == 1 }
        #expect(lm_md5_lanes() == has.max())
    }

    @Test(arguments: [0, 1, 15, 38, 39, 40, 55, 56, 63, 64, 65, 100, 300]) func padsOfAnySecretAgreeWithOpenSSL(length: Int) {
        let bytes = (0..<length).map { UInt8($0 & 0xff) }
        let secret = SharedSecret(bytes)
        let seed = (0..<16).map { UInt8(200 + $0) }
        let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: SecretRow.padCapacity)
        defer { scratch.deallocate() }
        var job = secret.row.padJob(seed, scratch)
        lm_md5_many(&job, 1)
        var expected = [UInt8](repeating: 0, count: 16)
        _ = EVP_Digest(bytes + seed, length + 16, &expected, nil, EVP_md5(), nil)
        #expect(digests([job]) == [expected])
        #expect(expected.withUnsafeBufferPointer { $0.baseAddress.map(job.matches) } == true)
        expected[7] ^= 1
        #expect(expected.withUnsafeBufferPointer { $0.baseAddress.map(job.matches) } == false)
    }
}

@Suite struct SHA1BlocksTests {
    @Test func theProcessorsInstructionsAgreeWithPlainCode() {
        var random = SystemRandomNumberGenerator()
        for count in 0..<40 {
            let blocks = (0..<max(1, count) * 64).map { _ in UInt8.random(in: 0...255, using: &random) }
            let state = (0..<5).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) }
            var (fast, plain) = (state, state)
            lm_sha1_blocks(&fast, blocks, UInt32(count))
            lm_sha1_blocks_plain(&plain, blocks, UInt32(count))
            #expect(fast == plain)
            #expect((fast == state) == (count == 0))
        }
    }
}
