internal import Glibc
internal import RadiusCore

/// An authority in a folder: it signs certificates and revocation lists, and keeps an index of what it issued.
///
/// A value without state: every call reads the folder. Calls that change something hold the folder's lock; a second process that tries
/// meanwhile gets a conflict. `now` is seconds since 1970.
public struct CertificateAuthority: Sendable {
    public let directory: AuthorityDirectory

    public init(directory: AuthorityDirectory) { self.directory = directory }

    /// What `issue` wrote.
    public struct Issued: Sendable, Equatable {
        public let record: CertificateRecord
        public let certificatePath: String
        public let keyPath: String
        /// Nil when none was asked for.
        public let keyStorePath: String?
    }

    /// A PKCS#12 file that goes with a certificate.
    public struct KeyStoreOrder: Sendable {
        /// UTF-8, 4...512 octets.
        public var password: [UInt8]
        public var encryption: PKCS12Encryption

        public init(password: [UInt8], encryption: PKCS12Encryption) {
            self.password = password
            self.encryption = encryption
        }
    }

    /// Makes a new authority: key, certificate, empty index and list.
    ///
    /// `commonName` is what devices show, 1...64 octets; `days` those of its validity, 1...36500, which no certificate of it outlives;
    /// `revocationListDays` those after which the list is stale, 1...36500.
    ///
    /// - Throws: `CertificateFailure`; a conflict when the folder holds one already.
    public func initialize(
        commonName: String, organization: String? = nil, keyType: KeyType = .ecdsaP256, days: Int = 3650, revocationListDays: Int = 365,
        now: Int64
    ) throws(CertificateFailure) {
        var request = CertificateRequest(kind: .server, commonName: commonName)
        request.organization = organization
        request.days = days
        try request.validate()
        try Self.validateListDays(revocationListDays)
        request.keyType = keyType
        try directory.make()
        try AuthorityLock.hold(directory) { () throws(CertificateFailure) in
            try refuseToOverwrite()
            try writeAuthority(request, listDays: revocationListDays, now: now)
        }
    }

    private func writeAuthority(_ request: CertificateRequest, listDays: Int, now: Int64) throws(CertificateFailure) {
        let key = try PrivateKey.make(request.keyType)
        let builder = try CertificateBuilder(
            key: key, serialNumber: CertificateBuilder.randomSerialNumber(), now: now, days: request.days)
        try builder.setSubject(commonName: request.commonName, organization: request.organization)
        try builder.addAuthorityExtensions()
        let certificate = try builder.signed(with: key)
        let list = try RevocationList.make(
            of: [], authority: certificate, key: key, previous: nil, now: now, days: listDays)
        // The certificate comes last: with it the authority exists.
        try directory.write(try key.pem(), to: directory.authorityKey, mode: 0o600)
        try directory.write(CertificateIndex().text, to: directory.index, mode: 0o644)
        try directory.write(list, to: directory.revocationList, mode: 0o644)
        try directory.write(try certificate.pem(), to: directory.authorityCertificate, mode: 0o644)
    }

    private func refuseToOverwrite() throws(CertificateFailure) {
        let files = [directory.authorityCertificate, directory.authorityKey, directory.index, directory.revocationList]
        let found = files.filter(AuthorityDirectory.exists)
        guard found.isEmpty else {
            throw CertificateFailure(
                .conflict, "\(directory.path) holds an authority already: \(found.joined(separator: ", "))",
                next: "Its certificates die with it, so nothing is overwritten. Use another --directory, or move these files away.")
        }
    }

    /// Issues a certificate with a new key.
    ///
    /// - Parameters:
    ///   - request: what it shall say.
    ///   - keyStore: asks for a PKCS#12 file, too.
    ///   - replaces: files of that name give way, the key first; the certificate before stays in force until it is revoked by its number.
    ///   - now: seconds since 1970.
    /// - Returns: where everything is.
    /// - Throws: `CertificateFailure`: invalid names, a conflict when the name is taken, not found without an authority.
    public func issue(
        _ request: CertificateRequest, keyStore: KeyStoreOrder? = nil, replaces: Bool = false, now: Int64
    ) throws(CertificateFailure) -> Issued {
        try request.validate()
        return try AuthorityLock.hold(directory) { () throws(CertificateFailure) in
            try issueAlone(request, keyStore, replaces: replaces, now: now)
        }
    }

    private func issueAlone(
        _ request: CertificateRequest, _ keyStore: KeyStoreOrder?, replaces: Bool, now: Int64
    ) throws(CertificateFailure) -> Issued {
        let signer = try Signer(directory)
        var index = try CertificateIndex(try directory.read(directory.index), path: directory.index)
        if !replaces { try refuseTaken(request.name, in: index, now: now) }
        try Self.refuseOutliving(signer, days: request.days, now: now)
        let key = try PrivateKey.make(request.keyType)
        let certificate = try Self.certificate(for: request, key: key, signer: signer, now: now)
        let store = try keyStore.map { order throws(CertificateFailure) in
            try KeyStore.make(certificate, key: key, authority: signer.certificate, label: request.commonName, order)
        }
        let record = try Self.record(of: certificate, request)
        // The index comes first: what is not in it could not be revoked.
        index.append(record)
        try directory.write(index.text, to: directory.index, mode: 0o644, replaces: true)
        try directory.write(try key.pem(), to: directory.key(request.name), mode: 0o600, replaces: replaces)
        try directory.write(try certificate.pem(), to: directory.certificate(request.name), mode: 0o644, replaces: replaces)
        if let store { try directory.write(store, to: directory.keyStore(request.name), mode: 0o600, replaces: replaces) }
        return Issued(
            record: record, certificatePath: directory.certificate(request.name), keyPath: directory.key(request.name),
            keyStorePath: store == nil ? nil : directory.keyStore(request.name))
    }

    private func refuseTaken(_ name: String, in index: CertificateIndex, now: Int64) throws(CertificateFailure) {
        if let position = index.position(of: name, now: now), index.records[position].state(at: now) == .valid {
            throw CertificateFailure(
                .conflict, "there is a certificate “\(name)” in force, serial \(index.records[position].serial)",
                next: "Give this one another --name, or renew that one in its place with --replace.")
        }
        for file in [directory.key(name), directory.certificate(name), directory.keyStore(name)] where AuthorityDirectory.exists(file) {
            throw CertificateFailure(
                .conflict, "\(file) exists already", next: "Overwrite the old files with --replace, or give this one another --name.")
        }
    }

    private static func refuseOutliving(_ signer: Signer, days: Int, now: Int64) throws(CertificateFailure) {
        let end = try signer.certificate.description().notAfter
        guard now + Int64(days) * 86400 <= end else {
            let left = max(0, (end - now) / 86400)
            throw CertificateFailure(
                .invalid, "\(days) days go beyond the authority's own end, which is in \(left) days",
                next: left > 0 ? "Choose --days \(left) or fewer, or make a new authority." : "Make a new authority in another --directory."
            )
        }
    }

    private static func certificate(
        for request: CertificateRequest, key: PrivateKey, signer: Signer, now: Int64
    ) throws(CertificateFailure) -> Certificate {
        let builder = try CertificateBuilder(
            key: key, serialNumber: CertificateBuilder.randomSerialNumber(), now: now, days: request.days)
        try builder.setSubject(commonName: request.commonName, organization: request.organization)
        try builder.addLeafExtensions(request, issuer: signer.certificate)
        return try builder.signed(with: signer.key)
    }

    private static func record(of certificate: Certificate, _ request: CertificateRequest) throws(CertificateFailure) -> CertificateRecord {
        let description = try certificate.description()
        return CertificateRecord(
            serial: description.serialText, kind: request.kind, name: request.name, commonName: request.commonName,
            notBefore: description.notBefore, notAfter: description.notAfter)
    }

    static func validateListDays(_ days: Int) throws(CertificateFailure) {
        guard (1...36500).contains(days) else {
            throw CertificateFailure(.invalid, "\(days) days for the revocation list: 1 to 36500 are possible")
        }
    }
}

/// The authority's own two halves.
struct Signer {
    let certificate: Certificate
    let key: PrivateKey

    init(_ directory: AuthorityDirectory) throws(CertificateFailure) {
        certificate = try Certificate.read(try directory.read(directory.authorityCertificate), path: directory.authorityCertificate)
        key = try PrivateKey.read(try directory.read(directory.authorityKey), path: directory.authorityKey)
        guard certificate.belongs(to: key) else {
            throw CertificateFailure(
                .broken, "\(directory.authorityKey) is not the key of \(directory.authorityCertificate)",
                next: "Restore both from the same backup.")
        }
    }
}
