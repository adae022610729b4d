import Glibc
import Support

/// Debian's `freeradius`, as a home server that knows one user, or as a proxy in front of the daemon.
struct FreeRADIUS {
    static let secret = "between-the-servers"
    static let password = "looking-glass"
    let authenticationPort: UInt16
    let accountingPort: UInt16
    private let tool: RunningTool

    /// Starts one that answers for `user` (with PAP, CHAP, MS-CHAP and EAP) and writes accounting to a file.
    static func home(user: String, in directory: String) async throws -> FreeRADIUS {
        try TextFile.write("\(user) Cleartext-Password := \"\(password)\"\n\tReply-Message := \"from home\"\n", to: directory + "/users")
        return try await start(
            in: directory,
            authorize: "chap\nmschap\neap {\nok = return\n}\nfiles\npap", preacct: "", accounting: "detail", proxy: "")
    }

    /// Starts one that hands everything on to `daemon`, whose NAS it is.
    static func proxy(to daemon: DaemonProcess, secret: String, in directory: String) async throws -> FreeRADIUS {
        try TextFile.write("", to: directory + "/users")
        let proxy = """
            home_server lastmile {
                type = auth
                ipaddr = 127.0.0.1
                port = \(daemon.authenticationPort)
                secret = \(secret)
                status_check = status-server
            }
            home_server lastmile_acct {
                type = acct
                ipaddr = 127.0.0.1
                port = \(daemon.accountingPort)
                secret = \(secret)
                status_check = status-server
            }
            home_server_pool lastmile {
                type = fail-over
                home_server = lastmile
            }
            home_server_pool lastmile_acct {
                type = fail-over
                home_server = lastmile_acct
            }
            realm lastmile {
                auth_pool = lastmile
                acct_pool = lastmile_acct
                nostrip
            }
            """
        let update = "update control {\n&Proxy-To-Realm := \"lastmile\"\n}"
        return try await start(in: directory, authorize: update, preacct: update, accounting: "", proxy: proxy)
    }

    private static func start(
        in directory: String, authorize: String, preacct: String, accounting: String, proxy: String
    ) async throws -> FreeRADIUS {
        let ports = (access: try LastingPorts.next(), accounting: try LastingPorts.next())
        let text = [
            general(in: directory, proxy: proxy), modules(in: directory),
            server(ports, authorize: authorize, preacct: preacct, accounting: accounting),
        ].joined(separator: "\n")
        try TextFile.write(text, to: directory + "/radiusd.conf")
        chmod(directory, 0o755)
        let tool = try await Tool.start("freeradius", ["-X", "-d", directory, "-n", "radiusd"])
        do {
            _ = try await tool.line { $0.contains("Ready to process requests") }
        } catch {
            tool.remove()
            throw error
        }
        return FreeRADIUS(authenticationPort: ports.access, accountingPort: ports.accounting, tool: tool)
    }

    /// Where its files are, what it does of itself, and whose requests it takes.
    private static func general(in directory: String, proxy: String) -> String {
        """
        prefix = /usr
        libdir = /usr/lib/freeradius
        raddbdir = \(directory)
        logdir = \(directory)
        run_dir = \(directory)
        radacctdir = \(directory)
        pidfile = \(directory)/radiusd.pid
        proxy_requests = yes
        log {
            destination = stdout
        }
        security {
            max_attributes = 200
            reject_delay = 0
            status_server = yes
        }
        \(proxy)
        client loopback {
            ipaddr = 127.0.0.0/8
            secret = \(secret)
        }
        """
    }

    /// The methods it knows, its users, and where accounting goes.
    private static func modules(in directory: String) -> String {
        """
        modules {
            pap {
            }
            chap {
            }
            mschap {
            }
            eap {
                default_eap_type = md5
                md5 {
                }
                mschapv2 {
                }
            }
            files {
                filename = \(directory)/users
                usersfile = \(directory)/users
            }
            detail {
                filename = \(directory)/detail
                permissions = 0600
            }
        }
        """
    }

    /// Its ports, and what it does with a request.
    private static func server(
        _ ports: (access: UInt16, accounting: UInt16), authorize: String, preacct: String, accounting: String
    ) -> String {
        """
        server default {
            listen {
                type = auth
                ipaddr = 127.0.0.1
                port = \(ports.access)
            }
            listen {
                type = acct
                ipaddr = 127.0.0.1
                port = \(ports.accounting)
            }
            authorize {
                \(authorize)
            }
            authenticate {
                Auth-Type PAP {
                    pap
                }
                Auth-Type CHAP {
                    chap
                }
                Auth-Type MS-CHAP {
                    mschap
                }
                eap
            }
            preacct {
                \(preacct)
            }
            accounting {
                \(accounting)
            }
            post-auth {
                update reply {
                    &Message-Authenticator := 0x00
                }
                Post-Auth-Type REJECT {
                    update reply {
                        &Message-Authenticator := 0x00
                    }
                }
            }
        }

        """
    }

    /// What it said.
    var transcript: String { tool.output + tool.errors }

    func stop() { tool.remove() }
}
