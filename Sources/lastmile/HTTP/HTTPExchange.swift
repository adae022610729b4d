import CCurl

/// One HTTP request and its answer, over libcurl. Waits for the answer.
struct HTTPExchange {
    var method = "GET"
    let url: String
    var headers: [String] = []
    var body: [UInt8]?
    var timeoutSeconds = 120
    /// Told how many octets of the body are sent, of how many.
    var progress: ((Int, Int) -> Void)?
    /// Told each line of an answer of lines (application/x-ndjson) as it comes, instead of collecting them. Such an answer may take any
    /// time, but not be silent for long.
    var line: (([UInt8]) -> Void)?
    /// Told once that an answer of lines begins.
    var begun: (() -> Void)?
    /// How long an answer of lines may be silent.
    var silenceLimit: Duration = .seconds(60)

    struct Answer {
        let status: Int
        /// Names in lower case.
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    /// Why there is no answer.
    struct Failure: Error {
        let reason: String
        /// Nothing listens, or it does not answer: not a matter of the request.
        let isUnreachable: Bool
    }

    private final class Sinks {
        var body: [UInt8] = []
        var head: [UInt8] = []
        var progress: ((Int, Int) -> Void)?
        var line: (([UInt8]) -> Void)?
        var begun: (() -> Void)?
        var silenceLimit: Duration?
        private var lastOctet = ContinuousClock.now

        /// Whether nothing came for too long. libcurl's own limit is a speed in whole octets a second, which a sign of life every ten
        /// seconds does not reach.
        var isSilent: Bool { silenceLimit.map { lastOctet.duration(to: .now) > $0 } ?? false }

        /// Takes a piece of the head.
        func takeHead(_ piece: UnsafeRawBufferPointer) {
            head += piece
            lastOctet = .now
            // The empty line behind the fields.
            guard piece.count <= 2, let begun, isOfLines else { return }
            self.begun = nil
            begun()
        }

        /// Takes a piece of the body.
        func take(_ piece: UnsafeRawBufferPointer) {
            body += piece
            lastOctet = .now
            guard let line, piece.contains(0x0a), isOfLines else { return }
            let pieces = body.split(separator: 0x0a, omittingEmptySubsequences: false)
            for piece in pieces.dropLast() where !piece.isEmpty { line(Array(piece)) }
            body = Array(pieces.last ?? [])
        }

        private var isOfLines: Bool {
            HTTPExchange.fields(head).last { $0.name == "content-type" }?.value.hasPrefix("application/x-ndjson") == true
        }
    }

    func run() throws(Failure) -> Answer {
        guard let handle = curl_easy_init() else { throw Failure(reason: "libcurl cannot be used", isUnreachable: false) }
        defer { curl_easy_cleanup(handle) }
        let sinks = Sinks()
        sinks.progress = progress
        sinks.line = line
        sinks.begun = begun
        sinks.silenceLimit = line == nil ? nil : silenceLimit
        var list: UnsafeMutablePointer<curl_slist>?
        // Expect: 100-continue would cost a second with servers that do not know it.
        for header in headers + ["Expect:"] { list = curl_slist_append(list, header) }
        defer { curl_slist_free_all(list) }
        let context = Unmanaged.passUnretained(sinks).toOpaque()
        configure(handle, list, context)
        let code = withExtendedLifetime(sinks) { curl_easy_perform(handle) }
        if code == CURLE_ABORTED_BY_CALLBACK { throw Failure(reason: "nothing came for \(silenceLimit)", isUnreachable: true) }
        guard code == CURLE_OK else { throw Self.failure(code) }
        return Answer(status: Int(lm_curl_status(handle)), headers: Self.fields(sinks.head), body: sinks.body)
    }

    private func configure(_ handle: OpaquePointerOrRaw, _ list: UnsafeMutablePointer<curl_slist>?, _ context: UnsafeMutableRawPointer) {
        lm_curl_set_text(handle, CURLOPT_URL, url)
        lm_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        lm_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, method)
        lm_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        lm_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 5)
        lm_curl_set_number(handle, CURLOPT_TIMEOUT, line == nil ? timeoutSeconds : 0)
        // A proxy from the environment never stands between here and this machine.
        if isLoopback { lm_curl_set_text(handle, CURLOPT_NOPROXY, "*") }
        lm_curl_set_headers(handle, list)
        if let body { body.withUnsafeBytes { _ = lm_curl_set_body(handle, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1), $0.count) } }
        lm_curl_set_body_sink(
            handle,
            { bytes, size, count, context in
                HTTPExchange.collect(bytes, size * count, context) { $0.take($1) }
            }, context)
        lm_curl_set_header_sink(
            handle,
            { bytes, size, count, context in
                HTTPExchange.collect(bytes, size * count, context) { $0.takeHead($1) }
            }, context)
        guard progress != nil || line != nil else { return }
        lm_curl_set_progress(
            handle,
            { context, _, _, total, sent in
                guard let context else { return 0 }
                let sinks = Unmanaged<Sinks>.fromOpaque(context).takeUnretainedValue()
                if total > 0 { sinks.progress?(Int(sent), Int(total)) }
                return sinks.isSilent ? 1 : 0
            }, context)
    }

    private typealias OpaquePointerOrRaw = UnsafeMutableRawPointer

    private static func collect(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ sink: (Sinks, UnsafeRawBufferPointer) -> Void
    ) -> Int {
        guard let bytes, let context else { return 0 }
        sink(Unmanaged<Sinks>.fromOpaque(context).takeUnretainedValue(), UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    }

    private var isLoopback: Bool {
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        return ["127.", "localhost", "[::1]"].contains { rest.hasPrefix($0) }
    }

    fileprivate static func fields(_ head: [UInt8]) -> [(name: String, value: String)] {
        head.split(separator: 0x0a).compactMap { line in
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { return nil }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            return (text[..<colon].lowercased(), String(value.prefix { $0 != "\r" && $0 != "\r\n" }))
        }
    }

    private static func failure(_ code: CURLcode) -> Failure {
        let reason = String(cString: curl_easy_strerror(code))
        let local = [CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT]
        return Failure(reason: reason, isUnreachable: !local.contains(code))
    }
}
