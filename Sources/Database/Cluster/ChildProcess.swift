internal import CLinux
internal import Glibc

/// A program that this process started and has not yet seen end. Belongs to the thread that started it: when that thread ends,
/// the kernel sends the child its death signal.
struct ChildProcess {
    let identifier: pid_t
    /// Readable when the child has ended; negative where the kernel has no such descriptor.
    let descriptor: Int32

    /// Starts `path`. `output` is an open file that receives standard output and error; `held` stays open in the child under the
    /// same number; the child gets `deathSignal` when the calling thread ends, and `niceness`, 0...19.
    static func start(
        _ path: String, _ arguments: [String], as account: ClusterAccount, output: Int32, held: Int32, niceness: Int32 = 0,
        deathSignal: Int32
    ) throws(DatabaseError) -> ChildProcess {
        let argumentList: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = ["PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=/"]
        let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { (argumentList + environment).forEach { free($0) } }
        var stage: UnsafePointer<CChar>?
        let identifier = path.withCString { path in
            argumentList.withUnsafeBufferPointer { arguments in
                environment.withUnsafeBufferPointer { environment in
                    var process = lm_process(
                        path: path, arguments: arguments.baseAddress, environment: environment.baseAddress, user: account.user,
                        group: account.group, change_user: account.isOther ? 1 : 0, output: output, held: held,
                        niceness: niceness, death_signal: deathSignal)
                    return lm_process_start(&process, &stage)
                }
            }
        }
        guard identifier > 0 else {
            let reason = String(cString: strerror(-identifier))
            let stage = stage.map { String(cString: $0) } ?? ""
            throw DatabaseError(.clusterUnavailable, "cannot start \(path) as \(account.name): \(stage): \(reason)")
        }
        return ChildProcess(identifier: identifier, descriptor: lm_process_descriptor(identifier))
    }

    /// Its exit code, or 128 + signal, once it has ended. Ask no more after that.
    func exitStatus() -> Int32? {
        var status: Int32 = 0
        guard lm_process_ended(identifier, &status) == 1 else { return nil }
        if descriptor >= 0 { closeDescriptor(descriptor) }
        return status
    }

    /// Waits for its end; nil when `deadline` passes first.
    func wait(until deadline: UInt64) -> Int32? {
        while true {
            if let status = exitStatus() { return status }
            if Clock.now >= deadline { return nil }
            pause(alsoWatching: -1, milliseconds: 200)
        }
    }

    /// Waits until the child ends, `other` becomes readable, or the time is over. A signal or an early return does no harm.
    func pause(alsoWatching other: Int32, milliseconds: Int32) {
        let watched = [descriptor, other].filter { $0 >= 0 }
        let limit = descriptor >= 0 ? milliseconds : (milliseconds < 0 ? 200 : min(milliseconds, 200))
        _ = lm_wait(watched, UInt32(watched.count), limit)
    }

    func signal(_ number: Int32) { kill(identifier, number) }
}
