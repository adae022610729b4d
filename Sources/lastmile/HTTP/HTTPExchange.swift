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
    }

    func run() throws(Failure) -> Answer {
        guard let handle = curl_easy_init() else { throw Failure(reason: "libcurl cannot be used", isUnreachable: false) }
        defer { curl_easy_cleanup(handle) }
        let sinks = Sinks()
        sinks.progress = progress
        var list: UnsafeMutablePointer<curl_slist>?
        // Expect: 100-continue would cost a second with servers that do not know it.
        for header in headers + ["Expect:"] { list = curl_slist_append(list, header) }
        defer { curl_slist_free_all(list) }
        let context = Unmanaged.passUnretained(sinks).toOpaque()
        configure(handle, list, context)
        let code = withExtendedLifetime(sinks) { curl_easy_perform(handle) }
        guard code == CURLE_OK else { throw Self.failure(code) }
        return Answer(status: Int(lm_curl_status(handle)), headers: Self.fields(sinks.head), body: sinks.body)
    }

    private func configure(_ handle: OpaquePointerOrRaw, _ list: UnsafeMutablePointer<curl_slist>?, _ context: UnsafeMutableRawPointer) {
        lm_curl_set_text(handle, CURLOPT_URL, url)
        lm_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        lm_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, method)
        lm_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        lm_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 5)
        lm_curl_set_number(handle, CURLOPT_TIMEOUT, timeoutSeconds)
        // A proxy from the environment never stands between here and this machine.
        if isLoopback { lm_curl_set_text(handle, CURLOPT_NOPROXY, "*") }
        lm_curl_set_headers(handle, list)
        if let body { body.withUnsafeBytes { _ = lm_curl_set_body(handle, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1), $0.count) } }
        lm_curl_set_body_sink(
            handle,
            { bytes, size, count, context in
                HTTPExchange.collect(bytes, size * count, context, \.body)
            }, context)
        lm_curl_set_header_sink(
            handle,
            { bytes, size, count, context in
                HTTPExchange.collect(bytes, size * count, context, \.head)
            }, context)
        guard progress != nil else { return }
        lm_curl_set_progress(
            handle,
            { context, _, _, total, sent in
                guard let context, total > 0 else { return 0 }
                Unmanaged<Sinks>.fromOpaque(context).takeUnretainedValue().progress?(Int(sent), Int(total))
                return 0
            }, context)
    }

    private typealias OpaquePointerOrRaw = UnsafeMutableRawPointer

    private static func collect(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ sink: ReferenceWritableKeyPath<Sinks, [UInt8]>
    ) -> Int {
        guard let bytes, let context else { return 0 }
        let sinks = Unmanaged<Sinks>.fromOpaque(context).takeUnretainedValue()
        sinks[keyPath: sink] += UnsafeRawBufferPointer(start: bytes, count: count)
        return count
    }

    private var isLoopback: Bool {
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        return ["127.", "localhost", "[::1]"].contains { rest.hasPrefix($0) }
    }

    private static func fields(_ head: [UInt8]) -> [(name: String, value: String)] {
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
