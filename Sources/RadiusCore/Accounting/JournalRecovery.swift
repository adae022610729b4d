import Glibc

/// Finds where a journal ended, and cuts a torn end off its last segment.
struct JournalRecovery {
    /// The sequence number of the last whole record, or of the one before the first.
    private(set) var lastSequence: UInt64 = 0
    /// The first number that a new record may get; beyond every number that a torn end may have held.
    private(set) var nextSequence: UInt64 = 1
    private(set) var tornOctets = 0
    private(set) var segments: [UInt64] = []

    init(_ directory: JournalDirectory) throws(JournalError) {
        segments = try directory.segments()
        guard let last = segments.last else { return }
        lastSequence = last - 1
        try recover(directory.segmentPath(last))
        // A number that may have left this process is never given twice: the shipper's cursor could already be beyond it.
        nextSequence = lastSequence + 1
        if tornOctets > 0 { nextSequence += UInt64(tornOctets / JournalFormat.formerHeaderCount) + 1 }
    }

    private mutating func recover(_ path: String) throws(JournalError) {
        let file = try JournalSegmentFile(path: path, writable: true)
        defer { file.close() }
        var scan = try JournalScan(file)
        while let location = scan.next() { lastSequence = max(lastSequence, location.sequence) }
        let end = min(file.count, scan.endOfLastRecord)
        tornOctets = try file.countWithoutZeros(from: end)
        if end < file.count, ftruncate(file.descriptor, off_t(end)) != 0 {
            throw .system(operation: "truncate", path: path, errno: errno)
        }
        // What a killed process wrote may still be in memory only; it counts as durable from now on.
        guard fsync(file.descriptor) == 0 else { throw .system(operation: "sync", path: path, errno: errno) }
    }
}

/// One segment file that was opened for reading.
struct JournalSegmentFile {
    let path: String
    let descriptor: Int32
    let count: Int

    init(path: String, writable: Bool = false) throws(JournalError) {
        let opened = Glibc.open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC)
        guard opened >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let problem = errno
            Glibc.close(opened)
            throw .system(operation: "examine", path: path, errno: problem)
        }
        self.path = path
        descriptor = opened
        count = Int(status.st_size)
    }

    func close() {
        Glibc.close(descriptor)
    }

    /// Octets behind `offset` but for the zeros that end the file: what a writer fills ahead of its records belongs to none of them.
    func countWithoutZeros(from offset: Int) throws(JournalError) -> Int {
        let pieceCount = 1 << 16
        let piece = UnsafeMutableRawPointer.allocate(byteCount: pieceCount, alignment: 16)
        defer { piece.deallocate() }
        var end = offset
        for start in stride(from: offset, to: count, by: pieceCount) {
            let got = try read(piece, min(pieceCount, count - start), at: start)
            var last = got
            while last > 0, piece.load(fromByteOffset: last - 1, as: UInt8.self) == 0 { last -= 1 }
            if last > 0 { end = start + last }
        }
        return end - offset
    }

    /// Fills `out` from `offset`; returns the octets read, fewer only at the end of the file.
    func read(_ out: UnsafeMutableRawPointer, _ wanted: Int, at offset: Int) throws(JournalError) -> Int {
        var done = 0
        while done < wanted {
            let got = pread(descriptor, out + done, wanted - done, off_t(offset + done))
            if got == 0 { break }
            if got > 0 {
                done += got
            } else if errno != EINTR {
                throw .system(operation: "read", path: path, errno: errno)
            }
        }
        return done
    }
}
