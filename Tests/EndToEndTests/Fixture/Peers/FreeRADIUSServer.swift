import Support

/// Debian's `freeradius`, with users from a file or from PostgreSQL in the package's own schema.
struct FreeRADIUSServer {
    /// Where the package keeps schema and queries for PostgreSQL.
    static let stock = "/etc/freeradius/3.0/mods-config/sql/main/postgresql"

    let port: UInt16
    private let tool: RunningTool

    /// Starts it and waits until it answers.
    ///
    /// - Parameters:
    ///   - users: the text of its users file.
    ///   - database: how its tables are reached; without it there are none.
    ///   - directory: for its configuration.
    /// - Returns: the server.
    /// - Throws: `ProcessFailure` when the program is missing or does not like its configuration.
    static func start(users: String, database: String? = nil, in directory: String) async throws -> FreeRADIUSServer {
        let port = try LastingPorts.next()
        try TextFile.write("", to: directory + "/dictionary")
        try TextFile.write(users, to: directory + "/users")
        try TextFile.write(configuration(directory, port, database), to: directory + "/radiusd.conf")
        let tool = try await Tool.start("freeradius", ["-f", "-l", "stdout", "-d", directory])
        _ = try await tool.line { $0.contains("Ready to process requests") }
        return FreeRADIUSServer(port: port, tool: tool)
    }

    func stop() { tool.remove() }

    /// Logs in by PAP.
    func login(_ user: String, _ password: String) async throws -> RadclientReply {
        let lines = [#"User-Name = "\#(user)""#, #"User-Password = "\#(password)""#, "Message-Authenticator = 0x00"]
        let result = try await Tool.run(
            "radclient", ["-x", "-t", "10", "-r", "3", "127.0.0.1:\(port)", "auth", "testing123"],
            input: lines.joined(separator: "\n") + "\n")
        return RadclientReply(result.output + result.errors)
    }

    private static func configuration(_ directory: String, _ port: UInt16, _ database: String?) -> String {
        """
        name = peer
        prefix = /usr
        libdir = /usr/lib/freeradius
        raddbdir = \(directory)
        logdir = \(directory)
        run_dir = \(directory)
        radacctdir = \(directory)
        pidfile = \(directory)/radiusd.pid
        max_request_time = 30
        cleanup_delay = 1
        hostname_lookups = no
        proxy_requests = no
        log { destination = stdout }
        security {
            max_attributes = 200
            reject_delay = 0
            status_server = no
        }
        thread pool {
            start_servers = 1
            max_servers = 2
            min_spare_servers = 1
            max_spare_servers = 1
        }
        client local {
            ipaddr = 127.0.0.1
            secret = testing123
        }
        modules {
            pap { normalise = yes }
            expr { }
            expiration { }
            files { filename = \(directory)/users }
            \(database.map(tables) ?? "")
        }
        server default {
            listen {
                type = auth
                ipaddr = 127.0.0.1
                port = \(port)
            }
            authorize {
                files
                \(database == nil ? "" : "sql")
                expiration
                pap
            }
            authenticate {
                Auth-Type PAP {
                    pap
                }
            }
        }

        """
    }

    private static func tables(_ database: String) -> String {
        """
        sql {
            driver = "rlm_sql_postgresql"
            dialect = "postgresql"
            radius_db = "\(database)"
            acct_table1 = "radacct"
            acct_table2 = "radacct"
            client_table = "nas"
            postauth_table = "radpostauth"
            authcheck_table = "radcheck"
            authreply_table = "radreply"
            groupcheck_table = "radgroupcheck"
            groupreply_table = "radgroupreply"
            usergroup_table = "radusergroup"
            read_groups = yes
            read_profiles = no
            read_clients = no
            group_attribute = "SQL-Group"
            pool {
                start = 1
                min = 1
                max = 2
                spare = 0
                uses = 0
                lifetime = 0
                idle_timeout = 0
            }
            $INCLUDE \(stock)/queries.conf
        }
        """
    }
}
