internal import COpenSSL

/// What libssl and libcrypto say went wrong on this thread.
public enum OpenSSLErrors {
    /// One entry of the queue.
    public struct Entry: Sendable, Equatable {
        /// `ERR_LIB_...`: the part of OpenSSL that speaks.
        public let library: Int32
        public let reason: Int32
        /// The reason in OpenSSL's words; never empty.
        public let text: String
    }

    /// Empties the queue of this thread, the oldest entry first. The first is what happened, those behind it what followed.
    public static func drain() -> [Entry] {
        var entries: [Entry] = []
        // The queue holds 16; a bound all the same, since this runs on what peers cause.
        while entries.count < 32 {
            let code = ERR_get_error()
            guard code != 0 else { break }
            let text = ERR_reason_error_string(code).map { String(cString: $0) }
            entries.append(
                Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text ?? "error \(String(code, radix: 16))"))
        }
        return entries
    }

    /// Empties the queue; the first entry's words, or `fallback`.
    public static func text(else fallback: String = "no reason was given") -> String {
        drain().first?.text ?? fallback
    }
}
