internal import COpenSSL
internal import Glibc
internal import Synchronization

/// Sessions that may be resumed, as octets: a tenth of what OpenSSL's own cache takes, and each resumption gets an object of its own.
///
/// Bounded by number; the oldest go first. Shared by the threads that hold conversations of one context; a lock is held for a look-up.
final class TLSSessionCache: Sendable {
    /// A session's identifier; OpenSSL makes 32 random octets.
    struct Identifier: Hashable {
        private let words: (UInt64, UInt64, UInt64, UInt64)

        /// Nil unless there are 32 octets.
        init?(_ octets: UnsafeBufferPointer<UInt8>) {
            guard octets.count == 32 else { return nil }
            let raw = UnsafeRawBufferPointer(octets)
            words = (
                raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self), raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }

        static func == (left: Identifier, right: Identifier) -> Bool { left.words == right.words }

        func hash(into hasher: inout Hasher) {
            hasher.combine(words.0)
            hasher.combine(words.1)
        }
    }

    struct Entry {
        /// Of `SessionEncoding`.
        let octets: [UInt8]
        /// Whose it is; nil when no certificate was shown.
        let peer: CertificateDescription?
        /// Seconds since 1970.
        let end: Int64
    }

    private struct Table {
        var entries: [Identifier: Entry] = [:]
        /// In the order of their coming; those before `head`, and those that are no entries any more, are gone.
        var order: [Identifier] = []
        var head = 0
    }

    private let table = Mutex(Table())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { table.withLock { $0.entries.count } }

    func put(_ identifier: Identifier, _ entry: Entry) {
        table.withLock { table in
            table.entries[identifier] = entry
            table.order.append(identifier)
            while table.entries.count > limit, table.head < table.order.count {
                table.entries[table.order[table.head]] = nil
                table.head += 1
            }
            // Twice as many names as there may be entries: most of them are gone.
            if table.order.count > 2 * limit + 64 {
                table.order = table.order[table.head...].filter { table.entries[$0] != nil }
                table.head = 0
            }
        }
    }

    func remove(_ identifier: Identifier) {
        table.withLock { $0.entries[identifier] = nil }
    }

    /// Nil when there is none, or its time is over.
    func entry(of identifier: Identifier, now: Int64) -> Entry? {
        table.withLock { table in
            guard let entry = table.entries[identifier] else { return nil }
            guard entry.end > now else {
                table.entries[identifier] = nil
                return nil
            }
            return entry
        }
    }

    // MARK: OpenSSL

    private static let index = lm_ssl_ctx_new_index()

    /// Lets OpenSSL ask this cache. The context of all conversations on `context` must keep the cache.
    func attach(to context: OpaquePointer) {
        SSL_CTX_set_ex_data(context, Self.index, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_sess_set_get_cb(context) { connection, octets, count, isShared in
            isShared?.pointee = 0
            guard let connection, let octets, let context = SSL_get_SSL_CTX(connection),
                let cache = SSL_CTX_get_ex_data(context, TLSSessionCache.index)
            else { return nil }
            return Unmanaged<TLSSessionCache>.fromOpaque(cache).takeUnretainedValue()
                .session(UnsafeBufferPointer(start: octets, count: Int(max(0, count))))
        }
    }

    /// A new `SSL_SESSION *` for the caller to own.
    private func session(_ name: UnsafeBufferPointer<UInt8>) -> OpaquePointer? {
        guard let identifier = Identifier(name), let entry = entry(of: identifier, now: Int64(time(nil))) else { return nil }
        return entry.octets.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_SSL_SESSION(nil, &start, buffer.count)
        }
    }
}
