internal import Glibc

/// The account that PostgreSQL runs under: it refuses root.
struct ClusterAccount: Equatable {
    let name: String
    let user: uid_t
    let group: gid_t
    /// We are root and the child has to give that up.
    let isOther: Bool

    /// Ourselves; as root, whoever owns an existing cluster, else `postgres`, else `nobody`.
    static func choose(forData directory: String) throws(DatabaseError) -> ClusterAccount {
        let ours = geteuid()
        let owner = FileSystem.exists("\(directory)/PG_VERSION") ? FileSystem.status(directory)?.st_uid : nil
        guard ours == 0 else {
            if let owner, owner != ours { throw foreign(directory, owner) }
            return ClusterAccount(name: name(of: ours), user: ours, group: getegid(), isOther: false)
        }
        if let owner, owner != 0 {
            guard let account = named(name(of: owner)) else {
                let group = FileSystem.status(directory)?.st_gid ?? owner
                return ClusterAccount(name: "uid \(owner)", user: owner, group: group, isOther: true)
            }
            return account
        }
        guard let account = named("postgres") ?? named("nobody") else {
            throw DatabaseError(
                .clusterUnavailable, "PostgreSQL refuses to run as root, and there is no account postgres or nobody",
                hint: "create an account postgres, or start the daemon as an ordinary user")
        }
        return account
    }

    private static func foreign(_ directory: String, _ owner: uid_t) -> DatabaseError {
        DatabaseError(
            .clusterUnavailable, "\(directory) belongs to \(name(of: owner))",
            hint: "start the daemon as root or as that user, or choose another state.dir")
    }

    private static func named(_ name: String) -> ClusterAccount? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil, entry.pw_uid != 0 else { return nil }
        return ClusterAccount(name: name, user: entry.pw_uid, group: entry.pw_gid, isOther: true)
    }

    private static func name(of user: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else {
            return "uid \(user)"
        }
        return String(cString: name)
    }
}
