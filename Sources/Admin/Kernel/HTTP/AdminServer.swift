internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Synchronization

/// The HTTP interface on one address.
///
/// `run()` serves until its task is cancelled or its service group shuts down gracefully; requests under way are answered first.
public struct AdminServer: Sendable {
    private let services: AdminServices
    private let address: String
    private let port: Int
    private let bound = BoundPort()

    /// - Parameters:
    ///   - services: the rest of the daemon.
    ///   - address: an IP address or host name to listen on.
    ///   - port: 0 takes any free one.
    public init(services: AdminServices, address: String, port: Int) {
        self.services = services
        self.address = address
        self.port = port
    }

    /// The port that is listened on; nil before that.
    public var boundPort: Int? { bound.value }

    /// Serves. Throws when the address cannot be listened on.
    public func run() async throws {
        let bound = bound
        let application = Application(
            responder: HTTPBridge(dispatcher: Dispatcher(services), logger: services.logger),
            configuration: .init(address: .hostname(address, port: port), serverName: nil),
            onServerRunning: { bound.value = $0.localAddress?.port },
            logger: services.logger)
        try await application.run()
    }
}

/// Set once, by the server that got the port.
private final class BoundPort: Sendable {
    private let port = Mutex<Int?>(nil)

    var value: Int? {
        get { port.withLock { $0 } }
        set { port.withLock { $0 = newValue } }
    }
}

/// Between Hummingbird's requests and the dispatcher's.
struct HTTPBridge: HTTPResponder {
    typealias Context = BasicRequestContext

    let dispatcher: Dispatcher
    let logger: Logger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let headers = request.headers.map { Header($0.name.rawName, $0.value) }
        let requestID = Self.requestID(request.headers[.requestID])
        let head = Dispatcher.Head(
            method: request.method.rawValue, target: request.head.path ?? "/", headers: headers, requestID: requestID)
        let started = ContinuousClock.now
        let answer = await dispatcher.answer(head) { limit in try await Self.read(request, limit) }
        let elapsed = ContinuousClock.now - started
        logger.debug(
            "request",
            metadata: [
                "request_id": "\(requestID)", "method": "\(head.method)", "target": "\(head.target)", "status": "\(answer.status)",
                "milliseconds": "\(elapsed.components.seconds * 1000 + elapsed.components.attoseconds / 1_000_000_000_000_000)",
            ])
        return Self.response(answer, requestID: requestID, isHead: request.method == .head)
    }

    /// The caller's identifier when it is short and harmless, else a new one.
    static func requestID(_ given: String?) -> String {
        if let given, (1...128).contains(given.utf8.count), given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { return given }
        return String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private static func read(_ request: Request, _ limit: Int) async throws -> [UInt8] {
        if let announced = request.headers[.contentLength].flatMap(Int.init), announced > limit { throw Problem.tooLarge(limit) }
        do {
            let buffer = try await request.body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit)
        }
    }

    private static func response(_ answer: Answer, requestID: String, isHead: Bool) -> Response {
        var headers = HTTPFields()
        if !answer.body.isEmpty || answer.stream != nil { headers[.contentType] = answer.mediaType }
        for header in answer.headers {
            if let name = HTTPField.Name(header.name) { headers.append(HTTPField(name: name, value: header.value)) }
        }
        headers[.requestID] = requestID
        headers[.cacheControl] = "no-store"
        headers[.contentTypeOptions] = "nosniff"
        let response = Response(status: .init(code: answer.status), headers: headers, body: body(of: answer))
        return isHead ? response.createHeadResponse() : response
    }

    private static func body(of answer: Answer) -> ResponseBody {
        guard let stream = answer.stream else { return .init(byteBuffer: ByteBuffer(bytes: answer.body)) }
        return ResponseBody { writer in
            let lines = StreamedBody(writer)
            try await lines.run(stream)
            try await writer.finish(nil)
        }
    }
}

extension HTTPField.Name {
    fileprivate static let requestID = HTTPField.Name("X-Request-Id") ?? .trailer
    fileprivate static let contentTypeOptions = HTTPField.Name("X-Content-Type-Options") ?? .trailer
}
