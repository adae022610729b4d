import CCurl
import RadiusCore

/// One attempt at one message, over libcurl. Confined to the thread of its `WebhookTransfers`.
final class WebhookTransfer {
    private static let connectSeconds = 5
    static let seconds = 10
    /// Of an answer with its head, of which nothing is read but the status and Retry-After.
    private static let answerOctets = 65_536

    let message: HookMessage
    let handle: UnsafeMutableRawPointer
    private let reach: WebhookReach
    private let gate: UnsafeMutablePointer<lm_curl_gate>
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var octetsLeft = WebhookTransfer.answerOctets
    private var wasForbidden = false

    /// Prepares to send `message` where `reach` lets it go; `now` is the time of this attempt in seconds since 1970. Nil when libcurl has
    /// no memory.
    init?(_ message: HookMessage, signedWith secret: WebhookSecret, _ reach: WebhookReach, now: Int64) {
        guard let handle = curl_easy_init() else { return nil }
        self.message = message
        self.handle = handle
        self.reach = reach
        gate = .allocate(capacity: 1)
        gate.initialize(to: lm_curl_gate())
        for line in [
            "Content-Type: application/json", "User-Agent: Lastmile", "webhook-id: \(message.id)", "webhook-timestamp: \(now)",
            "webhook-signature: \(secret.signature(id: message.id, seconds: now, body: message.body))",
            // Expect: 100-continue would cost a second with servers that do not know it.
            "Expect:",
        ] {
            headers = curl_slist_append(headers, line)
        }
        configure()
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        gate.deallocate()
    }

    /// What came of it, once it ended with `code`.
    func answer(_ code: CURLcode) -> HookAnswer {
        let status = Int(lm_curl_status(handle))
        // Whoever says more than we read, or breaks off in the body, has answered all the same.
        if code == CURLE_OK || status >= 200 {
            return .status(status, retryAfterSeconds: Int64(lm_curl_retry_after(handle)))
        }
        guard wasForbidden else {
            return .silence(String(cString: curl_easy_strerror(code)), isTimeout: code == CURLE_OPERATION_TIMEDOUT)
        }
        let rule = message.isPlain ? "http:// is for the networks of hooks.networks" : "only public ones and those of hooks.networks are"
        return .failure("its address is not one that may be reached; \(rule)")
    }

    private func configure() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        lm_curl_set_text(handle, CURLOPT_URL, message.url)
        lm_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        lm_curl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0)
        // A proxy from the environment would be what is connected to, whatever the receiver's address.
        lm_curl_set_text(handle, CURLOPT_PROXY, "")
        lm_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        // Connections are kept; who opens a new one wants the receiver where it is now.
        lm_curl_set_number(handle, CURLOPT_DNS_CACHE_TIMEOUT, 0)
        lm_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, Self.connectSeconds)
        lm_curl_set_number(handle, CURLOPT_TIMEOUT, Self.seconds)
        // Else a name server that does not answer would be waited for behind the timeout, by all.
        lm_curl_set_number(handle, CURLOPT_QUICK_EXIT, 1)
        lm_curl_set_headers(handle, headers)
        message.body.withUnsafeBytes { _ = lm_curl_set_body(handle, $0.baseAddress, $0.count) }
        lm_curl_set_body_sink(handle, { _, size, count, context in WebhookTransfer.count(size * count, context) }, context)
        lm_curl_set_header_sink(handle, { _, size, count, context in WebhookTransfer.count(size * count, context) }, context)
        gate.pointee.context = context
        gate.pointee.allows = { context, octets, count in WebhookTransfer.allows(context, octets, Int(count)) ? 1 : 0 }
        lm_curl_set_gate(handle, gate)
    }

    private static func count(_ octets: Int, _ context: UnsafeMutableRawPointer?) -> Int {
        guard let context else { return 0 }
        let transfer = Unmanaged<WebhookTransfer>.fromOpaque(context).takeUnretainedValue()
        transfer.octetsLeft -= octets
        return transfer.octetsLeft >= 0 ? octets : 0
    }

    private static func allows(_ context: UnsafeMutableRawPointer?, _ octets: UnsafeRawPointer?, _ count: Int) -> Bool {
        guard let context, let octets else { return false }
        let transfer = Unmanaged<WebhookTransfer>.fromOpaque(context).takeUnretainedValue()
        let address =
            count == 4
            ? IPAddress(ipv4: UInt32(bigEndian: octets.loadUnaligned(as: UInt32.self)))
            : IPAddress(octets: UnsafeRawBufferPointer(start: octets, count: 16))
        let isAllowed = transfer.reach.allows(address, isPlain: transfer.message.isPlain)
        if !isAllowed { transfer.wasForbidden = true }
        return isAllowed
    }
}

/// Messages under way, each to a hook of its own: none waits for another. Confined to one thread.
final class WebhookTransfers {
    /// At one moment.
    static let limit = 128
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let handle: UnsafeMutableRawPointer
    private let wake: WakeSignal
    private var transfers: [UnsafeMutableRawPointer: WebhookTransfer] = [:]

    /// `wake` ends `wait` when it is signalled. Nil when libcurl cannot be used.
    init?(wake: WakeSignal) {
        guard Self.isReady, let handle = curl_multi_init() else { return nil }
        self.handle = handle
        self.wake = wake
    }

    deinit {
        for transfer in transfers.values { curl_multi_remove_handle(handle, transfer.handle) }
        curl_multi_cleanup(handle)
    }

    var count: Int { transfers.count }
    /// Hooks that a message is on its way to.
    var hooks: [Int64] { transfers.values.map(\.message.hook) }

    /// Whether it is under way; not when libcurl has no memory.
    func start(_ transfer: WebhookTransfer) -> Bool {
        guard curl_multi_add_handle(handle, transfer.handle) == CURLM_OK else { return false }
        transfers[transfer.handle] = transfer
        return true
    }

    /// Sends and receives until some end, something wakes it, or the time is over.
    ///
    /// - Returns: those that ended.
    func wait(milliseconds: Int) -> [(message: HookMessage, answer: HookAnswer)] {
        var running: Int32 = 0
        curl_multi_perform(handle, &running)
        let ended = takeEnded()
        if !ended.isEmpty { return ended }
        lm_curl_multi_wait(handle, wake.eventFD, Int32(clamping: milliseconds))
        wake.wait(timeoutMilliseconds: 0)
        curl_multi_perform(handle, &running)
        return takeEnded()
    }

    private func takeEnded() -> [(message: HookMessage, answer: HookAnswer)] {
        var ended: [(message: HookMessage, answer: HookAnswer)] = []
        var code = CURLE_OK
        while let done = lm_curl_multi_finished(handle, &code) {
            curl_multi_remove_handle(handle, done)
            guard let transfer = transfers.removeValue(forKey: done) else { continue }
            ended.append((transfer.message, transfer.answer(code)))
        }
        return ended
    }
}
