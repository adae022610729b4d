public import ArgumentParser
public import Certificates
import Glibc

extension KeyType: ExpressibleByArgument {}
extension CertificateKind: ExpressibleByArgument {}
extension RevocationReason: ExpressibleByArgument {}
extension PKCS12Encryption: ExpressibleByArgument {}
extension CertificateRecord.State: ExpressibleByArgument {}

/// What every command about certificates takes.
struct PKIOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The authority's folder. Else pki in LASTMILE_STATE_DIR, in ./var, or in /var/lib/lastmile.", valueName: "folder"))
    var directory: String?

    @Option(name: [.customShort("o"), .long], help: ArgumentHelp("How data is printed.", valueName: "format"))
    var output = OutputFormat.table

    @Flag(help: "Leaves the line of column names out of tables and CSV.")
    var noHeaders = false

    var rendering: Rendering {
        var rendering = Rendering(format: output)
        rendering.hasHeader = !noHeaders
        return rendering
    }

    func authority() throws(CommandFailure) -> CertificateAuthority {
        CertificateAuthority(directory: AuthorityDirectory(path: try path()))
    }

    private func path() throws(CommandFailure) -> String {
        if let directory {
            guard !directory.isEmpty else { throw .usage("--directory is empty", next: "Name a folder, or leave the option out.") }
            return directory
        }
        if let state = Terminal.environment("LASTMILE_STATE_DIR"), !state.isEmpty { return state + "/pki" }
        let places: [String] = ["./var", "/var/lib/lastmile"]
        guard let state = places.first(where: { access($0, F_OK) == 0 }) else {
            throw .usage(
                "there is neither ./var nor /var/lib/lastmile to keep certificates in",
                next: "Name a folder with --directory, or the daemon's own in LASTMILE_STATE_DIR.")
        }
        return state + "/pki"
    }

    /// Runs `body`, and says its failure as all commands do.
    static func attempt<Value>(_ body: () throws(CertificateFailure) -> Value) throws(CommandFailure) -> Value {
        do { return try body() } catch {
            let status: ExitStatus =
                switch error.kind {
                case .invalid: .usage
                case .conflict: .conflict
                case .notFound: .notFound
                case .broken: .failed
                }
            throw CommandFailure(status, error.message, next: error.next)
        }
    }

    /// Seconds since 1970.
    static var now: Int64 { Int64(time(nil)) }
}

/// Dates of certificates.
enum UTCText {
    /// `2026-11-21T06:11:37Z`; empty for what no calendar has.
    static func instant(_ seconds: Int64) -> String {
        var moment = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&moment, &parts) != nil else { return "" }
        var text = [CChar](repeating: 0, count: 40)
        guard strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0 else { return "" }
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }
}
