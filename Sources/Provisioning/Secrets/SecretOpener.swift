import RadiusCore

/// Opens many secrets one after the other: each key is expanded once. Confined to one thread.
final class SecretOpener {
    /// By number; few, so a walk is quicker than a look-up.
    private let keys: [(number: UInt32, cipher: AES256GCM)]
    private var clear = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)

    /// - Parameter keys: 32 octets each, by number.
    init(_ keys: [UInt32: [UInt8]]) {
        self.keys = keys.compactMap { number, octets in
            octets.withUnsafeBytes { AES256GCM(key: $0) }.map { (number, $0) }
        }
    }

    deinit {
        clear.initializeMemory(as: UInt8.self, repeating: 0)
        clear.deallocate()
    }

    /// The clear octets of `sealed`; valid until the next call.
    ///
    /// - Throws: `SecretError` that says what is wrong with key or secret.
    func open(_ sealed: UnsafeRawBufferPointer) throws(SecretError) -> UnsafeRawBufferPointer {
        let least = SecretBox.headerCount + AES256GCM.nonceCount + AES256GCM.tagCount
        guard sealed.count >= least, sealed[0] == SecretBox.version else { throw .malformed }
        let number = UInt32(bigEndian: sealed.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        guard let cipher = keys.first(where: { $0.number == number })?.cipher else { throw .missing(key: number) }
        if clear.count < sealed.count { grow(to: sealed.count) }
        let header = UnsafeRawBufferPointer(rebasing: sealed[..<SecretBox.headerCount])
        let body = UnsafeRawBufferPointer(rebasing: sealed[SecretBox.headerCount...])
        guard let count = cipher.open(body, header: header, into: clear) else { throw .wrong(key: number) }
        return UnsafeRawBufferPointer(rebasing: clear[..<count])
    }

    private func grow(to octets: Int) {
        clear.initializeMemory(as: UInt8.self, repeating: 0)
        clear.deallocate()
        clear = .allocate(byteCount: octets, alignment: 16)
    }
}
