internal import COpenSSL
internal import Glibc

/// A certificate, key or list cannot be used as it is on the disk.
public struct TLSFileFailure: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    /// Why, in words.
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path): \(reason)" }
}

/// What identifies a file's content without reading it: another inode, size or time of change means another content.
public struct FileStamp: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let changedSeconds: Int64
    private let changedNanoseconds: Int64

    /// Nil when there is no such file.
    public init?(path: String) {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        size = Int64(found.st_size)
        // The time of the inode's change, too: a copy may keep the time of modification.
        changedSeconds = Int64(found.st_mtim.tv_sec) &* 31 &+ Int64(found.st_ctim.tv_sec)
        changedNanoseconds = Int64(found.st_mtim.tv_nsec) &* 31 &+ Int64(found.st_ctim.tv_nsec)
    }
}

/// A PEM file, read whole.
struct PEMFile {
    let path: String
    let octets: [UInt8]

    /// Octets; a long chain or revocation list has fewer.
    private static let limit = 64 << 20
    private static let certificateLimit = 100

    init(path: String) throws(TLSFileFailure) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TLSFileFailure(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TLSFileFailure(path: path, reason: String(cString: strerror(errno))) }
            if count == 0 { break }
            content += block[..<count]
            guard content.count <= Self.limit else { throw TLSFileFailure(path: path, reason: "larger than \(Self.limit) octets") }
        }
        octets = content
    }

    /// All certificates of the file.
    func certificates() throws(TLSFileFailure) -> [CertificateHandle] {
        try objects { PEM_read_bio_X509($0, nil, nil, nil).map(CertificateHandle.init) }
    }

    /// All revocation lists of the file.
    func revocationLists() throws(TLSFileFailure) -> [RevocationListHandle] {
        try objects { PEM_read_bio_X509_CRL($0, nil, nil, nil).map(RevocationListHandle.init) }
    }

    /// Whether there is a private key, even one with a password.
    var holdsKey: Bool { String(decoding: octets, as: UTF8.self).contains("PRIVATE KEY-----") }

    func privateKey() throws(TLSFileFailure) -> PrivateKeyHandle {
        // libcrypto calls such a file damaged.
        guard holdsKey else { throw TLSFileFailure(path: path, reason: "it holds no private key in PEM") }
        // A callback that has no password keeps libcrypto from asking the terminal for one.
        let keys = try objects(limit: 1) { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil).map(PrivateKeyHandle.init) }
        guard let key = keys.first else { throw TLSFileFailure(path: path, reason: "it holds no private key in PEM without a password") }
        return key
    }

    private func objects<Object>(limit: Int = certificateLimit, _ next: (OpaquePointer) -> Object?) throws(TLSFileFailure) -> [Object] {
        guard let bio = BIO_new_mem_buf(octets, Int32(clamping: octets.count)) else {
            throw TLSFileFailure(path: path, reason: OpenSSLErrors.text())
        }
        defer { BIO_free(bio) }
        var found: [Object] = []
        while found.count < limit, let object = next(bio) { found.append(object) }
        // The end of the file is an error, too; any other is a mistake in it.
        let errors = OpenSSLErrors.drain()
        if found.count < limit, let other = errors.first(where: { $0.library != ERR_LIB_PEM || $0.reason != PEM_R_NO_START_LINE }) {
            throw TLSFileFailure(path: path, reason: "it is damaged: \(other.text)")
        }
        return found
    }
}

extension TLSSettings {
    /// Whether the PEM file of a certificate holds a private key, too; not when it cannot be read.
    public static func holdsKey(_ path: String) -> Bool { (try? PEMFile(path: path))?.holdsKey ?? false }
}

/// Owns an `X509 *`. Immutable after it was read; OpenSSL counts references atomically.
final class CertificateHandle {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { X509_free(handle) }
}

/// Owns an `X509_CRL *`.
final class RevocationListHandle {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { X509_CRL_free(handle) }
}

/// Owns an `EVP_PKEY *`.
final class PrivateKeyHandle {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { EVP_PKEY_free(handle) }
}
