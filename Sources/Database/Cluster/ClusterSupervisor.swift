internal import CLinux
internal import CPostgres
internal import Glibc
internal import Logging

/// The life of a private cluster's server, on one thread that lives as long as the daemon: the server's death signal hangs on it.
struct ClusterSupervisor: Sendable {
    private static let startSeconds = 60.0
    private static let recoverySeconds = 3600.0
    private static let stopSeconds = 30.0
    /// How long it may take to end before it is asked whether it is there at all.
    private static let hangSeconds = 10.0
    /// How long processes may outlive their postmaster.
    private static let leaveSeconds = 2.0
    /// On a full machine answering RADIUS goes before storing what was answered.
    private static let niceness: Int32 = 10

    let directory: String
    let settings: [String: String]
    let logger: Logger
    let stopDescriptor: Int32
    let state: Monitor<ClusterState>
    let progress: @Sendable (String) -> Void

    private enum Outcome {
        case ready
        case ended(Int32)
        case stopped
        case late
    }

    /// Starts the server, reports once whether it answers, and then keeps it alive until told to stop.
    func run(_ started: (Result<Void, any Error>) -> Void) {
        do {
            let setup = try prepare()
            defer { setup.files.close() }
            guard let server = try firstStart(setup) else {
                return started(.failure(CancellationError()))
            }
            publish(setup)
            started(.success(()))
            watch(server, setup)
        } catch {
            started(.failure(error))
        }
        state.withLock { $0.postmaster = nil }
    }

    private func prepare() throws -> ClusterSetup {
        let files = try ClusterFiles.open(directory)
        do {
            let binaries = try ClusterBinaries.find(major: files.major)
            let account = try ClusterAccount.choose(forData: files.data)
            let setup = ClusterSetup(files: files, binaries: binaries, account: account, settings: settings)
            try files.letPass(account)
            try files.makePrivate("socket", for: account)
            if files.major == nil {
                progress("creating a PostgreSQL cluster in \(files.directory) (account \(account.name), programs \(binaries.directory))")
                try setup.createData()
            }
            try setup.createConfiguration()
            try stopOrphan(setup)
            return setup
        } catch {
            files.close()
            throw error
        }
    }

    /// A server that outlived its daemon is stopped: only one that we started gets our settings and our death signal.
    private func stopOrphan(_ setup: ClusterSetup) throws {
        let files = setup.files
        guard let orphan = files.livingPostmaster() else { return }
        progress("stopping the PostgreSQL server (process \(orphan)) that an earlier daemon left behind")
        end(orphan, setup) { deadline in
            while files.isServer(orphan), Clock.now < deadline { PoolWorker.pause(milliseconds: 50) }
            return !files.isServer(orphan)
        }
        guard files.isServer(orphan) else { return }
        throw DatabaseError(
            .clusterUnavailable, "the PostgreSQL server that an earlier daemon left behind (process \(orphan)) does not end")
    }

    /// Starts until it answers. A server that ends at once is tried again: processes of its predecessor may still hold its memory.
    private func firstStart(_ setup: ClusterSetup) throws -> ChildProcess? {
        let deadline = Clock.after(seconds: ClusterSupervisor.startSeconds)
        var failures = 0
        while true {
            progress("starting PostgreSQL in \(setup.files.directory)")
            let server = try launch(setup)
            switch awaitReady(server, setup) {
            case .ready:
                do {
                    try setup.createRoles()
                    return server
                } catch {
                    shutDown(server, setup)
                    throw error
                }
            case .stopped:
                shutDown(server, setup)
                return nil
            case .late:
                shutDown(server, setup)
                throw DatabaseError(.clusterUnavailable, "PostgreSQL did not answer in time", hint: "see \(setup.files.log)")
            case .ended(let status):
                failures += 1
                guard failures < 5, Clock.now < deadline else { throw ended(status, setup) }
                if lm_wait([stopDescriptor], 1, Int32(500 * failures)) > 0 { return nil }
            }
        }
    }

    private func ended(_ status: Int32, _ setup: ClusterSetup) -> DatabaseError {
        DatabaseError(
            .clusterUnavailable, "PostgreSQL ended with status \(status) instead of starting: \(setup.files.tail(setup.files.log))",
            hint: "see \(setup.files.log)")
    }

    private func launch(_ setup: ClusterSetup) throws -> ChildProcess {
        if setup.files.livingPostmaster() == nil {
            let killed = setup.files.endServers(within: ClusterSupervisor.leaveSeconds)
            let names = killed.map(String.init).joined(separator: ", ")
            if !killed.isEmpty { progress("killed processes of an earlier PostgreSQL server that stood still: \(names)") }
        }
        setup.files.removeStaleLocks()
        let log = try setup.files.openLog(setup.files.log)
        defer { closeDescriptor(log) }
        let server = try ChildProcess.start(
            setup.binaries.postgres, setup.serverArguments, as: setup.account, output: log, held: setup.files.descriptor,
            niceness: ClusterSupervisor.niceness, deathSignal: SIGINT)
        state.withLock { $0.postmaster = server.identifier }
        return server
    }

    private func awaitReady(_ server: ChildProcess, _ setup: ClusterSetup) -> Outcome {
        let conninfo = setup.conninfo(user: "postgres", database: "postgres") + " connect_timeout=5"
        let start = Clock.now
        var nextReport = Clock.after(seconds: 5)
        while true {
            if let status = server.exitStatus() { return .ended(status) }
            let answer = PQping(conninfo)
            if answer == PQPING_OK { return .ready }
            let limit = answer == PQPING_REJECT ? ClusterSupervisor.recoverySeconds : ClusterSupervisor.startSeconds
            let waited = Double(Clock.now - start) / 1_000_000_000
            if waited > limit { return .late }
            if Clock.now > nextReport {
                progress("PostgreSQL \(answer == PQPING_REJECT ? "recovers" : "starts") since \(Int(waited)) seconds")
                nextReport = Clock.after(seconds: 5)
            }
            if lm_wait([stopDescriptor], 1, 50) > 0 { return .stopped }
        }
    }

    private func publish(_ setup: ClusterSetup) {
        state.withLock {
            $0.conninfo = setup.conninfo(user: "lastmile", database: "lastmile")
            $0.superuserConninfo = setup.conninfo(user: "postgres", database: "postgres")
        }
    }

    /// Until told to stop: waits for the server's end and starts it again, with pauses that grow to ten seconds.
    private func watch(_ first: ChildProcess, _ setup: ClusterSetup) {
        var server: ChildProcess? = first
        var pause: Int32 = 100
        while true {
            if let running = server {
                let began = Clock.now
                guard let status = untilEnd(running) else { return shutDown(running, setup) }
                state.withLock { $0.postmaster = nil }
                if Clock.now - began > 60_000_000_000 { pause = 100 }
                logger.error("PostgreSQL ended; starting it again", metadata: ["status": "\(status)", "log": "\(setup.files.log)"])
            }
            if lm_wait([stopDescriptor], 1, pause) > 0 { return }
            pause = min(10_000, pause * 2)
            server = restart(setup)
        }
    }

    /// The exit status; nil when told to stop first.
    private func untilEnd(_ server: ChildProcess) -> Int32? {
        while true {
            if let status = server.exitStatus() { return status }
            if lm_wait([stopDescriptor], 1, 0) > 0 { return nil }
            server.pause(alsoWatching: stopDescriptor, milliseconds: -1)
        }
    }

    private func restart(_ setup: ClusterSetup) -> ChildProcess? {
        do {
            let server = try launch(setup)
            state.withLock { $0.restarts += 1 }
            return server
        } catch {
            logger.error("cannot start PostgreSQL again", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func shutDown(_ server: ChildProcess, _ setup: ClusterSetup) {
        end(server.identifier, setup) { server.wait(until: $0) != nil }
    }

    /// One that stands still hears nothing but SIGKILL, and its processes have to go with it: they would hold the data. `isGone` waits until
    /// it has ended, or for the deadline.
    private func end(_ postmaster: pid_t, _ setup: ClusterSetup, _ isGone: (_ deadline: UInt64) -> Bool) {
        kill(postmaster, SIGINT)
        if isGone(Clock.after(seconds: ClusterSupervisor.hangSeconds)) { return }
        if PQping(setup.conninfo(user: "postgres", database: "postgres") + " connect_timeout=5") != PQPING_NO_RESPONSE {
            if isGone(Clock.after(seconds: ClusterSupervisor.stopSeconds - ClusterSupervisor.hangSeconds)) { return }
            kill(postmaster, SIGQUIT)
            if isGone(Clock.after(seconds: 10)) { return }
        }
        logger.error("PostgreSQL does not end and is killed; what is committed is kept", metadata: ["process": "\(postmaster)"])
        kill(postmaster, SIGKILL)
        _ = isGone(Clock.after(seconds: 5))
        _ = setup.files.endServers(within: 0)
    }
}
