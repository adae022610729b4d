internal import CLinux
internal import CPostgres
public import Logging

/// Listens to channels on a connection and thread of its own.
///
/// A notification is only a hint: PostgreSQL keeps none for a listener that is away. After the first connection and after every
/// reconnection `onReconnect` is called, so that the listener catches up from its table. Both callbacks run on this thread;
/// they should hand work on and return soon.
public final class Notifications: Sendable {
    /// A channel's name and what was sent with the notification, at most 8000 octets.
    public struct Notification: Sendable {
        public let channel: String
        public let payload: String
    }

    private let stopDescriptor: Int32
    private let thread: Monitor<DatabaseThread?>

    /// Starts listening at once; connects in the background and for ever.
    public init(
        configuration: DatabaseConfiguration, channels: [String], logger: Logger,
        onReconnect: @escaping @Sendable () -> Void,
        onNotification: @escaping @Sendable (Notification) -> Void
    ) throws {
        let descriptor = lm_eventfd()
        guard descriptor >= 0 else { throw DatabaseError(.connectionFailure, "cannot make an eventfd: error \(-descriptor)") }
        stopDescriptor = descriptor
        let listener = NotificationListener(
            configuration: configuration, channels: channels, logger: logger, stopDescriptor: descriptor,
            onReconnect: onReconnect, onNotification: onNotification)
        thread = Monitor(try DatabaseThread(name: "database-listen") { listener.run() })
    }

    deinit {
        stop()
        closeDescriptor(stopDescriptor)
    }

    /// Ends the thread and waits for it; no callback runs afterwards. Must not be called from a callback.
    public func stop() {
        lm_eventfd_signal(stopDescriptor)
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }
}

/// What runs on the thread of `Notifications`.
private struct NotificationListener: Sendable {
    let configuration: DatabaseConfiguration
    let channels: [String]
    let logger: Logger
    let stopDescriptor: Int32
    let onReconnect: @Sendable () -> Void
    let onNotification: @Sendable (Notifications.Notification) -> Void

    func run() {
        var pause: Int32 = 100
        while true {
            do {
                let connection = try listen()
                pause = 100
                onReconnect()
                guard try follow(connection) else { return }
            } catch {
                logger.warning("the change listener lost PostgreSQL; trying again", metadata: ["error": "\(error)"])
            }
            if lm_wait([stopDescriptor], 1, pause) != 0 { return }
            pause = min(5000, pause * 2)
        }
    }

    private func listen() throws -> Connection {
        let connection = try Connection.open(configuration)
        for channel in channels {
            let quoted = channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            try connection.script("LISTEN \"\(quoted)\"")
        }
        return connection
    }

    /// Delivers until stopped (false).
    private func follow(_ connection: Connection) throws -> Bool {
        while true {
            deliver(connection)
            let ready = lm_wait([PQsocket(connection.handle), stopDescriptor], 2, -1)
            if ready & 2 != 0 { return false }
            guard PQconsumeInput(connection.handle) == 1, PQstatus(connection.handle) == CONNECTION_OK else {
                throw DatabaseError(connection: connection.handle)
            }
        }
    }

    private func deliver(_ connection: Connection) {
        while let pointer = PQnotifies(connection.handle) {
            defer { PQfreemem(pointer) }
            let payload = pointer.pointee.extra.map { String(cString: $0) } ?? ""
            onNotification(Notifications.Notification(channel: String(cString: pointer.pointee.relname), payload: payload))
        }
    }
}
