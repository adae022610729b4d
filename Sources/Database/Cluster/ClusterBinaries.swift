internal import Glibc

/// Where PostgreSQL's server programs are.
struct ClusterBinaries: Equatable {
    static let oldestMajor = 15
    let directory: String

    var postgres: String { "\(directory)/postgres" }
    var initdb: String { "\(directory)/initdb" }

    /// Looks in `LASTMILE_POSTGRES_BIN` (and then nowhere else), Debian's directories (newest first), and `PATH`.
    /// `major` is the version that made an existing cluster: only programs of that version can serve it.
    static func find(
        major: Int?, environment: [String: String] = ClusterBinaries.environment(), debian: String = "/usr/lib/postgresql"
    ) throws(DatabaseError) -> ClusterBinaries {
        if let chosen = environment["LASTMILE_POSTGRES_BIN"], !chosen.isEmpty {
            let binaries = ClusterBinaries(directory: chosen)
            guard binaries.isComplete else {
                throw DatabaseError(
                    .clusterUnavailable, "LASTMILE_POSTGRES_BIN is \(chosen), where initdb and postgres are not",
                    hint: "point it at a directory such as \(debian)/15/bin, or unset it")
            }
            return binaries
        }
        let versions = ((try? FileSystem.names(in: debian)) ?? []).compactMap { Int($0) }.filter { $0 >= oldestMajor }
        let wanted = major.map { [$0] } ?? versions.sorted(by: >)
        let onPath = (environment["PATH"] ?? "").split(separator: ":").map { ClusterBinaries(directory: String($0)) }
        let candidates = wanted.map { ClusterBinaries(directory: "\(debian)/\($0)/bin") } + onPath
        guard let found = candidates.first(where: \.isComplete) else { throw missing(major, debian) }
        return found
    }

    static func environment() -> [String: String] {
        ["LASTMILE_POSTGRES_BIN", "PATH"].reduce(into: [:]) { values, key in
            values[key] = getenv(key).map { String(cString: $0) }
        }
    }

    private var isComplete: Bool { FileSystem.isExecutable(postgres) && FileSystem.isExecutable(initdb) }

    private static func missing(_ major: Int?, _ debian: String) -> DatabaseError {
        let package = major.map { "postgresql-\($0)" } ?? "postgresql"
        let subject = major.map { "PostgreSQL \($0), which made this cluster," } ?? "PostgreSQL's server (initdb and postgres)"
        return DatabaseError(
            .clusterUnavailable, "\(subject) is not in \(debian)/*/bin nor in PATH",
            hint: "install Debian's package \(package) (apt-get install \(package)), set LASTMILE_POSTGRES_BIN, "
                + "or name a server of your own in database.url")
    }
}
