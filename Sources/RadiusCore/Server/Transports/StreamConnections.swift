import CLinux

/// The connections of one worker by their handles. Confined to its thread.
final class StreamConnections {
    private var places: [StreamConnection?] = []
    /// Of each place; grows whenever the place is taken.
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    /// Those with something to write, each once.
    private var dirty: [StreamConnection] = []
    private let census: StreamCensus
    /// Knows what RADIUS/1.0 hides and RADIUS/1.1 does not; of the snapshot in force.
    var dictionary: RadiusDictionary
    private(set) var count = 0

    init(census: StreamCensus, dictionary: RadiusDictionary) {
        self.census = census
        self.dictionary = dictionary
    }

    subscript(handle: ConnectionHandle) -> StreamConnection? {
        let slot = Int(handle.slot)
        guard slot < places.count, generations[slot] == handle.generation else { return nil }
        return places[slot]
    }

    /// The handle that the next connection has.
    func nextHandle() -> ConnectionHandle {
        let slot = free.last ?? UInt32(places.count)
        let before = Int(slot) < generations.count ? generations[Int(slot)] : 0
        return ConnectionHandle(slot: slot, generation: before == .max ? 1 : before + 1)
    }

    /// Takes in a connection whose handle `nextHandle` gave last.
    func insert(_ connection: StreamConnection) {
        let slot = Int(connection.handle.slot)
        if free.last == connection.handle.slot {
            free.removeLast()
        } else {
            places.append(nil)
            generations.append(0)
        }
        generations[slot] = connection.handle.generation
        places[slot] = connection
        count += 1
    }

    func remove(_ connection: StreamConnection) {
        guard self[connection.handle] === connection else { return }
        places[Int(connection.handle.slot)] = nil
        free.append(connection.handle.slot)
        count -= 1
    }

    /// All of them, in no order.
    var all: [StreamConnection] { places.compactMap { $0 } }

    /// Puts `connection` among those that have something to write.
    func mark(_ connection: StreamConnection) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        dirty.append(connection)
    }

    /// Takes those that have something to write; some may be gone.
    func takeDirty() -> [StreamConnection] {
        guard !dirty.isEmpty else { return [] }
        let taken = dirty
        dirty.removeAll(keepingCapacity: true)
        for connection in taken { connection.isDirty = false }
        return taken
    }

    /// Hands each reply of a batch to the connection that its request came on.
    ///
    /// - Returns: how many belong to a connection that is gone, or cannot be had in its version of RADIUS.
    func deliver(_ batch: UnsafePointer<lm_datagram>, count: Int) -> Int {
        var lost = 0
        for position in 0..<count where batch[position].count > 0 {
            let reply = batch + position
            let origin = StreamOrigin(reply)
            guard let connection = self[origin.connection], deliver(reply, origin, to: connection) else {
                lost += 1
                continue
            }
            mark(connection)
        }
        if lost > 0 { census.countUndeliverable(lost) }
        return lost
    }

    private func deliver(_ reply: UnsafePointer<lm_datagram>, _ origin: StreamOrigin, to connection: StreamConnection) -> Bool {
        let octets = UnsafeBufferPointer<UInt8>(start: reply.pointee.bytes, count: Int(reply.pointee.count))
        guard let tokens = connection.tokens else {
            connection.reply(octets)
            return true
        }
        guard let mark = origin.mark, let translated = tokens.reply(octets.span, to: mark, dictionary) else { return false }
        connection.reply(translated)
        return true
    }
}
