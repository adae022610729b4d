internal import RadiusCore

/// Revoking, and what an authority tells of itself.
extension CertificateAuthority {
    /// Revokes a certificate and makes a new revocation list.
    ///
    /// `word` is a serial number in hexadecimal, with or without colons, or the name of the certificate in force;
    /// `revocationListDays` are those after which the new list is stale.
    ///
    /// - Returns: what the index says of it now.
    /// - Throws: `CertificateFailure`: not found, or a conflict when it is revoked already.
    public func revoke(
        _ word: String, reason: RevocationReason = .unspecified, revocationListDays: Int = 365, now: Int64
    ) throws(CertificateFailure) -> CertificateRecord {
        try Self.validateListDays(revocationListDays)
        return try AuthorityLock.hold(directory) { () throws(CertificateFailure) in
            try revokeAlone(word, reason, listDays: revocationListDays, now: now)
        }
    }

    private func revokeAlone(_ word: String, _ reason: RevocationReason, listDays: Int, now: Int64) throws(CertificateFailure)
        -> CertificateRecord
    {
        let signer = try Signer(directory)
        var index = try CertificateIndex(try directory.read(directory.index), path: directory.index)
        guard let position = index.position(of: word, now: now) else {
            throw CertificateFailure(
                .notFound, "\(directory.path) issued no certificate “\(word)”", next: "lastmile pki list shows names and serial numbers.")
        }
        guard index.records[position].revocation == nil else {
            throw CertificateFailure(
                .conflict, "“\(word)” is revoked already", next: "lastmile pki list shows when. To renew the list: lastmile pki crl.")
        }
        index.revoke(at: position, CertificateRecord.Revocation(time: now, reason: reason))
        // The index comes first: a list that could not be written is made by the next call.
        try directory.write(index.text, to: directory.index, mode: 0o644, replaces: true)
        try writeList(of: index, signer: signer, days: listDays, now: now)
        return index.records[position]
    }

    /// Makes the revocation list anew, so that it does not become stale.
    ///
    /// - Returns: when the new list becomes stale, in seconds since 1970.
    @discardableResult
    public func renewRevocationList(days: Int = 365, now: Int64) throws(CertificateFailure) -> Int64 {
        try Self.validateListDays(days)
        try AuthorityLock.hold(directory) { () throws(CertificateFailure) in
            let index = try CertificateIndex(try directory.read(directory.index), path: directory.index)
            try writeList(of: index, signer: try Signer(directory), days: days, now: now)
        }
        return now + Int64(days) * 86400
    }

    private func writeList(of index: CertificateIndex, signer: Signer, days: Int, now: Int64) throws(CertificateFailure) {
        let list = try RevocationList.make(
            of: index.records, authority: signer.certificate, key: signer.key, previous: try? directory.read(directory.revocationList),
            now: now, days: days)
        try directory.write(list, to: directory.revocationList, mode: 0o644, replaces: true)
    }

    /// All certificates that were issued, the oldest first.
    ///
    /// Takes no lock: the index is replaced as a whole.
    public func records() throws(CertificateFailure) -> [CertificateRecord] {
        try CertificateIndex(try directory.read(directory.index), path: directory.index).records
    }

    /// When the authority itself and its revocation list end, in seconds since 1970; the list's is nil when it cannot be read.
    public func ends() throws(CertificateFailure) -> (authority: Int64, revocationList: Int64?) {
        let file = directory.authorityCertificate
        let authority = try Certificate.read(try directory.read(file), path: file).description()
        return (authority.notAfter, (try? directory.read(directory.revocationList)).flatMap(RevocationList.nextUpdate))
    }
}
