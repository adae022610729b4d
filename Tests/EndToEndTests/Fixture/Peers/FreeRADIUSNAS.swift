import Glibc
import Support

/// Debian's `freeradius` in the place of a NAS: takes CoA and Disconnect, and says yes.
struct FreeRADIUSNAS {
    let port: UInt16
    private let tool: RunningTool

    /// Starts one at `address`, an address of the loopback network.
    static func start(address: String, secret: String, in directory: String) async throws -> FreeRADIUSNAS {
        let port = try LastingPorts.next()
        let text = """
            prefix = /usr
            libdir = /usr/lib/freeradius
            raddbdir = \(directory)
            logdir = \(directory)
            run_dir = \(directory)
            radacctdir = \(directory)
            pidfile = \(directory)/nas.pid
            proxy_requests = no
            log {
                destination = stdout
            }
            security {
                max_attributes = 200
                reject_delay = 0
                status_server = no
            }
            client loopback {
                ipaddr = 127.0.0.0/8
                secret = \(secret)
            }
            modules {
            }
            server nas {
                listen {
                    type = coa
                    ipaddr = \(address)
                    port = \(port)
                }
                recv-coa {
                }
                send-coa {
                }
            }

            """
        try TextFile.write(text, to: directory + "/nas.conf")
        chmod(directory, 0o755)
        let tool = try await Tool.start("freeradius", ["-X", "-d", directory, "-n", "nas"])
        do {
            _ = try await tool.line { $0.contains("Ready to process requests") }
        } catch {
            tool.remove()
            throw error
        }
        return FreeRADIUSNAS(port: port, tool: tool)
    }

    /// What it said of each request: the lines from its arrival on, in order.
    var requests: [String] { (tool.output + tool.errors).split(separator: " Received ").dropFirst().map(String.init) }

    func stop() { tool.remove() }
}
