/// Why an authority did not do what it was asked.
public struct CertificateFailure: Error, Equatable, Sendable {
    public enum Kind: Sendable {
        /// What was asked for makes no sense: a name, a duration, a password.
        case invalid
        /// It exists already, or another process is at work.
        case conflict
        case notFound
        /// The disk, or OpenSSL, did not go along.
        case broken
    }

    public let kind: Kind
    /// What happened, where and why.
    public let message: String
    /// What to do now; empty where the message says it.
    public let next: String

    public init(_ kind: Kind, _ message: String, next: String = "") {
        self.kind = kind
        self.message = message
        self.next = next
    }
}
