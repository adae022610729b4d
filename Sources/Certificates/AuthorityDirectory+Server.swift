extension AuthorityDirectory {
    /// The server's certificate that was issued first, among those that are valid: one that is made for another server later does not take
    /// its place.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: nil when the folder has none.
    /// - Throws: `CertificateFailure`; also when there is no authority in the folder.
    public func firstServer(now: Int64) throws(CertificateFailure) -> CertificateRecord? {
        try CertificateAuthority(directory: self).records().first { $0.kind == .server && $0.state(at: now) == .valid }
    }
}
