import Glibc
import Logging
import Support
import Testing

@testable import Database

/// A cluster in a directory of its own, erased afterwards.
private func withCluster<T>(
    in directory: String? = nil, _ body: (PrivateCluster) async throws -> T
) async throws -> T {
    let root = try PostgresFixture.temporaryDirectory()
    let cluster = try PrivateCluster(
        directory: directory ?? root, logger: Logger(label: "tests"), settings: ["fsync": "off", "shared_buffers": "16MB"])
    let result: Result<T, any Error>
    do {
        result = .success(try await body(cluster))
    } catch {
        result = .failure(error)
    }
    await cluster.stop()
    FileSystem.removeTree(root)
    return try result.get()
}

private func isAlive(_ process: pid_t) -> Bool { kill(process, 0) == 0 }

@Suite(.serialized) struct PrivateClusterTests {
    @Test func ownerIsSubjectToRowLevelSecurityAndStartsAreIdempotent() async throws {
        try await withCluster { cluster in
            for _ in 0..<2 {
                try await cluster.start()
                let configuration = DatabaseConfiguration(conninfo: cluster.conninfo)
                try await withConnection(configuration) { connection in
                    let row = try #require(
                        try connection.queryOne(
                            """
                            SELECT current_user, rolsuper OR rolbypassrls, pg_has_role('lastmile_system', 'MEMBER'),
                                pg_has_role('lastmile_system', 'USAGE'), pg_get_userbyid(datdba), current_setting('listen_addresses'),
                                pg_encoding_to_char(encoding)
                            FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
                            """))
                    #expect(try row.string(0) == "lastmile")
                    #expect(try [row.bool(1), row.bool(2), row.bool(3)] == [false, true, false])
                    #expect(try row.string(4) == "lastmile")
                    #expect(try row.string(5) == "")
                    #expect(try row.string(6) == "UTF8")
                }
                try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
                let server = try #require(cluster.postmaster)
                #expect(FileSystem.status("/proc/\(server)")?.st_uid != 0)
                await cluster.stop()
                #expect(!isAlive(server))
            }
        }
    }

    @Test func serverThatIsKilledIsStartedAgainAndThePoolRecovers() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            var configuration = DatabaseConfiguration(conninfo: cluster.conninfo, poolSize: 2)
            configuration.waitTimeoutSeconds = 60
            let pool = try Pool(configuration: configuration, logger: Logger(label: "tests"))
            try await pool.run { try $0.script("CREATE SCHEMA app; CREATE TABLE app.kept AS SELECT 1 AS i") }
            for round in 1...2 {
                let server = try #require(cluster.postmaster)
                kill(server, SIGKILL)
                try await eventually { cluster.restarts >= round && cluster.postmaster.map { $0 != server } ?? false }
                try await eventually { (try? await pool.run { try $0.queryOne("SELECT i FROM app.kept")?.int(0) }) == 1 }
            }
            pool.shutdown()
        }
    }

    @Test func secondDaemonIsKeptOut() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            let second = try PrivateCluster(directory: cluster.directory, logger: Logger(label: "tests"))
            await #expect { try await second.start() } throws: { "\($0)".contains("another daemon uses") }
            #expect(try await withConnection(DatabaseConfiguration(conninfo: cluster.conninfo)) { $0.serverVersion } >= 150_000)
        }
    }

    /// The daemon's death is acted out by ending the thread that started the server: the kernel cannot tell the difference.
    @Test func serverDiesWithTheThreadThatStartedIt() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            await cluster.stop()
            let server = try await orphan(of: cluster, deathSignal: SIGINT)
            try await eventually { waitpid(server, nil, WNOHANG) == server }
        }
    }

    @Test func serverLeftBehindIsStoppedFirst() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            await cluster.stop()
            let server = try await orphan(of: cluster, deathSignal: 0)
            try await eventually { FileSystem.text("\(cluster.directory)/data/postmaster.pid")?.contains("ready") == true }
            try await cluster.start()
            #expect(cluster.postmaster != server)
            var status: Int32 = 0
            waitpid(server, &status, WNOHANG)
            #expect(!isAlive(server))
        }
    }

    /// They hold the memory of a server that is gone, and no other starts beside it.
    @Test func processesThatStandStillDoNotOutliveTheirServer() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            let processes = ProcessTable.processes(in: "\(cluster.directory)/data")
            #expect(processes.count > 1)
            for process in processes { kill(process, SIGSTOP) }
            kill(try #require(cluster.postmaster), SIGKILL)
            try await eventually { cluster.restarts == 1 }
            let configuration = DatabaseConfiguration(conninfo: cluster.conninfo)
            try await eventually { (try? await withConnection(configuration) { $0.serverVersion }) ?? 0 >= 150_000 }
            #expect(Set(ProcessTable.processes(in: "\(cluster.directory)/data")).isDisjoint(with: processes))
        }
    }

    @Test func staleLockFileOfAnotherProcessIsIgnored() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            await cluster.stop()
            try FileSystem.write("\(getpid())\n\(cluster.directory)/data\n", to: "\(cluster.directory)/data/postmaster.pid", mode: 0o600)
            try await cluster.start()
            #expect(cluster.postmaster != nil)
        }
    }

    /// What a server leaves that is killed between making a lock file and writing it.
    @Test(arguments: ["data/postmaster.pid", "socket/.s.PGSQL.5432.lock"])
    func emptyLockFileIsRemovedAtTheFirstStartAndAtARestart(_ name: String) async throws {
        try await withCluster { cluster in
            let path = "\(cluster.directory)/\(name)"
            try await cluster.start()
            await cluster.stop()
            try FileSystem.write("", to: path, mode: 0o600)
            try await cluster.start()

            // While it is stopped a server cannot answer its end with a tidied directory, so the file is empty when it is started again.
            let server = try #require(cluster.postmaster)
            kill(server, SIGSTOP)
            try FileSystem.write("", to: path, mode: 0o600)
            kill(server, SIGKILL)
            try await eventually {
                guard cluster.postmaster != server else { return false }
                return (try? await withConnection(DatabaseConfiguration(conninfo: cluster.conninfo)) { $0.serverVersion }) ?? 0 >= 150_000
            }
            #expect(FileSystem.text(path)?.isEmpty == false)
        }
    }

    @Test func pathMayBeLongerThanASocketAddress() async throws {
        let root = try PostgresFixture.temporaryDirectory()
        defer { FileSystem.removeTree(root) }
        let long = root + "/" + String(repeating: "a long name/", count: 9) + "it's"
        try await withCluster(in: long) { cluster in
            try await cluster.start()
            #expect(try await withConnection(DatabaseConfiguration(conninfo: cluster.conninfo)) { $0.serverVersion } >= 150_000)
        }
    }

    /// As in `/root`, where PostgreSQL's account may not go.
    @Test func directoryMayLieWhereTheAccountCannotGo() async throws {
        let root = try PostgresFixture.temporaryDirectory()
        defer { FileSystem.removeTree(root) }
        try await withCluster(in: root + "/closed/postgres") { cluster in
            mkdir(root + "/closed", 0o700)
            try await cluster.start()
            #expect(try await withConnection(DatabaseConfiguration(conninfo: cluster.conninfo)) { $0.serverVersion } >= 150_000)
        }
    }

    @Test func missingProgramsAreNamedWithTheirPackage() throws {
        #expect {
            try ClusterBinaries.find(major: nil, environment: ["PATH": "/nonexistent"], debian: "/nonexistent")
        } throws: {
            "\($0)".contains("initdb and postgres") && "\($0)".contains("apt-get install postgresql")
        }
        #expect {
            try ClusterBinaries.find(major: 14, environment: [:])
        } throws: {
            "\($0)".contains("PostgreSQL 14") && "\($0)".contains("postgresql-14")
        }
        #expect {
            try ClusterBinaries.find(major: nil, environment: ["LASTMILE_POSTGRES_BIN": "/nonexistent"])
        } throws: {
            "\($0)".contains("LASTMILE_POSTGRES_BIN is /nonexistent")
        }
    }

    @Test func takesTheNewestInstalledVersion() throws {
        let root = try PostgresFixture.temporaryDirectory()
        defer { FileSystem.removeTree(root) }
        for version in ["9.6", "14", "15", "17"] {
            try FileSystem.makeDirectory("\(root)/\(version)/bin", mode: 0o755)
            for name in ["initdb", "postgres"] { try FileSystem.write("", to: "\(root)/\(version)/bin/\(name)", mode: 0o755) }
        }
        #expect(try ClusterBinaries.find(major: nil, environment: [:], debian: root).directory == "\(root)/17/bin")
        #expect(try ClusterBinaries.find(major: 15, environment: [:], debian: root).directory == "\(root)/15/bin")
    }

    /// Starts a server as a daemon would, from a thread that ends at once.
    private func orphan(of cluster: PrivateCluster, deathSignal: Int32) async throws -> pid_t {
        let directory = cluster.directory
        return try await onOwnThread {
            let files = try ClusterFiles.open(directory)
            defer { files.close() }
            let setup = ClusterSetup(
                files: files, binaries: try ClusterBinaries.find(major: files.major),
                account: try ClusterAccount.choose(forData: files.data), settings: ["fsync": "off", "shared_buffers": "16MB"])
            let log = try files.openLog(files.log)
            defer { close(log) }
            let server = try ChildProcess.start(
                setup.binaries.postgres, setup.serverArguments, as: setup.account, output: log, held: files.descriptor,
                deathSignal: deathSignal)
            try eventuallyBlocking { FileSystem.text("\(directory)/data/postmaster.pid")?.contains("ready") == true }
            return server.identifier
        }
    }
}
