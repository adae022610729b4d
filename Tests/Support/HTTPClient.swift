internal import CCurl

/// A request's answer.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// In the order in which they came; names in lower case.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The first header called `name`, in lower case.
    public subscript(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// Why no answer came; libcurl's words.
public struct HTTPFailure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

/// Sends requests over libcurl, each over a connection of its own, on a thread of its own.
public struct HTTPClient: Sendable {
    public let url: String
    /// Sent with every request.
    public var headers: [(name: String, value: String)]

    /// - Parameters:
    ///   - url: what paths are appended to, such as `http://127.0.0.1:8080`.
    ///   - headers: sent with every request.
    public init(url: String, headers: [(name: String, value: String)] = []) {
        self.url = url
        self.headers = headers
    }

    /// Sends one request.
    ///
    /// - Parameters:
    ///   - method: in capitals.
    ///   - path: with its query, already percent-encoded.
    ///   - headers: besides the client's own; they win over them.
    ///   - body: nil for none.
    /// - Returns: the answer, whatever its status.
    /// - Throws: `HTTPFailure` when no answer came within a minute.
    public func send(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await onOwnThread { try exchange(method, path, headers, body) }
    }

    private func exchange(
        _ method: String, _ path: String, _ headers: [(name: String, value: String)], _ body: [UInt8]?
    ) throws -> HTTPResponse {
        _ = Self.isReady
        guard let handle = curl_easy_init() else { throw HTTPFailure(description: "libcurl gives no handle") }
        defer { curl_easy_cleanup(handle) }
        lm_curl_set_text(handle, CURLOPT_URL, url + path)
        lm_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, method)
        lm_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        lm_curl_set_number(handle, CURLOPT_TIMEOUT, 60)
        lm_curl_set_number(handle, CURLOPT_PATH_AS_IS, 1)
        if method == "HEAD" { lm_curl_set_number(handle, CURLOPT_NOBODY, 1) }
        if let body { _ = body.withUnsafeBytes { lm_curl_set_body(handle, $0.baseAddress, $0.count) } }
        let names = Set(headers.map { $0.name.lowercased() })
        let list = Self.list(self.headers.filter { !names.contains($0.name.lowercased()) } + headers)
        defer { curl_slist_free_all(list) }
        lm_curl_set_headers(handle, list)
        return try Self.perform(handle)
    }

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private static func list(_ headers: [(name: String, value: String)]) -> UnsafeMutablePointer<curl_slist>? {
        let lines = headers.map { $0.value.isEmpty ? "\($0.name):" : "\($0.name): \($0.value)" } + ["Expect:"]
        return lines.reduce(nil) { curl_slist_append($0, $1) }
    }

    private static func perform(_ handle: UnsafeMutableRawPointer) throws -> HTTPResponse {
        var received = Received()
        let code = withUnsafeMutablePointer(to: &received) { context in
            lm_curl_set_body_sink(
                handle,
                { bytes, size, count, context in
                    context?.assumingMemoryBound(to: Received.self).pointee.body += Received.octets(bytes, size * count)
                    return size * count
                }, context)
            lm_curl_set_header_sink(
                handle,
                { bytes, size, count, context in
                    context?.assumingMemoryBound(to: Received.self).pointee.header += Received.octets(bytes, size * count)
                    return size * count
                }, context)
            return curl_easy_perform(handle)
        }
        guard code == CURLE_OK || !received.header.isEmpty else {
            throw HTTPFailure(description: String(cString: curl_easy_strerror(code)))
        }
        return HTTPResponse(status: lm_curl_status(handle), headers: received.fields, body: received.body)
    }
}

/// What the sinks gather.
private struct Received {
    var header: [UInt8] = []
    var body: [UInt8] = []

    static func octets(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> [UInt8] {
        UnsafeBufferPointer(start: bytes, count: count).map(UInt8.init(bitPattern:))
    }

    /// The fields of the last header block; an earlier one is of a 1xx answer.
    var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for line in String(decoding: header, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("HTTP/") { fields = [] }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields.append((line[..<colon].lowercased(), String(value)))
        }
        return fields
    }
}
