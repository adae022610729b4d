extension AuthorityDirectory {
    /// The server's certificate that was issued first, among those that are valid: one that is made for another server later does not take
    /// its place. Without any, one of a RadSec peer, which has the server's usage too: issued for the name of such a server, or where none
    /// ever was, for the first peer's. A gateway's never steps in when the server's ends.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: nil when the folder has none.
    /// - Throws: `CertificateFailure` when the index cannot be read, or is gone while the authority and what it issued are there.
    public func firstServer(now: Int64) throws(CertificateFailure) -> CertificateRecord? {
        let records: [CertificateRecord]
        do throws(CertificateFailure) {
            records = try CertificateAuthority(directory: self).records()
        } catch {
            guard error.kind == .notFound else { throw error }
            guard Self.exists(authorityCertificate), Self.exists(path + "/issued") else { return nil }
            throw CertificateFailure(
                .notFound, "there is no \(index), which says what certificates are for",
                next: "Copy it from where the authority is, or restore it from a backup.")
        }
        let valid = records.filter { $0.state(at: now) == .valid }
        if let server = valid.first(where: { $0.kind == .server }) { return server }
        let servers = records.filter { $0.kind == .server }
        let names = Set((servers.isEmpty ? Array(records.filter { $0.kind == .radsec }.prefix(1)) : servers).map(\.name))
        return valid.first {
            $0.kind == .radsec && names.contains($0.name) && Self.exists(certificate($0.name)) && Self.exists(key($0.name))
        }
    }
}
