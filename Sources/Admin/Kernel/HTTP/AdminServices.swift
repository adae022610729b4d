public import Database
public import Logging

/// All that the interface needs of the rest of the daemon.
public struct AdminServices: Sendable {
    public var pool: Pool
    public var logger: Logger
    /// The bootstrap token of the installation's operator; at least 16 octets.
    public var operatorToken: String
    /// Seals a secret for the database.
    public var seal: @Sendable (_ clear: [UInt8]) throws -> [UInt8]
    /// Opens what `seal` made, to compare it with what a caller gives; never to answer it.
    public var open: @Sendable (_ sealed: [UInt8]) throws -> [UInt8]
    /// Why the dictionary refuses an attribute with this name and value; nil when it takes it.
    public var validateAttribute: @Sendable (_ name: String, _ value: String) -> String?
    /// The words that `vendor` of a NAS takes.
    public var vendorNames: [String]
    /// Derives what a subscriber would be answered, on a NAS when one is named: the text of a JSON object.
    public var explain: @Sendable (_ tenant: Int64, _ username: String, _ nas: String?) async throws -> String
    /// What is wrong with the policy rules of the tenant that the transaction is for, as it sees them.
    public var checkPolicy: @Sendable (_ connection: Connection) throws -> [PolicyMistake]
    /// Tries the policy rules in force on a login: the text of a JSON object.
    public var testPolicy: @Sendable (_ tenant: Int64, _ trial: PolicyTrial) async throws -> String
    /// Ends a session at its NAS: the outcome as the text of a JSON object.
    public var disconnect: @Sendable (_ tenant: Int64, _ session: Int64, _ by: String) async throws -> String
    /// Gives a session its subscriber's current profile: the outcome as the text of a JSON object.
    public var coa: @Sendable (_ tenant: Int64, _ session: Int64, _ by: String) async throws -> String
    /// Gives all live sessions of a profile its current rates: the outcome as the text of a JSON object.
    public var applyProfile: @Sendable (_ tenant: Int64, _ profile: Int64, _ by: String) async throws -> String
    /// Begins to read recorded transactions.
    public var openTrace: @Sendable (_ tenant: Int64, _ wish: TraceWish) throws -> TraceReader
    /// Examines a NAS, or all of the tenant's: the text of a JSON object.
    public var examineNAS: @Sendable (_ tenant: Int64, _ name: String?) async throws -> String
    /// Prometheus text, version 0.0.4.
    public var metrics: @Sendable () -> String
    public var readiness: @Sendable () async -> Readiness
    public var proxy = ProxyServices()
    /// What is wrong with the condition of a hook; nil when nothing is.
    public var checkHook: @Sendable (_ condition: String) -> String? = { _ in nil }

    public init(
        pool: Pool,
        logger: Logger,
        operatorToken: String,
        seal: @escaping @Sendable (_ clear: [UInt8]) throws -> [UInt8],
        open: @escaping @Sendable (_ sealed: [UInt8]) throws -> [UInt8],
        validateAttribute: @escaping @Sendable (_ name: String, _ value: String) -> String?,
        vendorNames: [String],
        explain: @escaping @Sendable (_ tenant: Int64, _ username: String, _ nas: String?) async throws -> String,
        checkPolicy: @escaping @Sendable (_ connection: Connection) throws -> [PolicyMistake],
        testPolicy: @escaping @Sendable (_ tenant: Int64, _ trial: PolicyTrial) async throws -> String,
        disconnect: @escaping @Sendable (_ tenant: Int64, _ session: Int64, _ by: String) async throws -> String,
        coa: @escaping @Sendable (_ tenant: Int64, _ session: Int64, _ by: String) async throws -> String,
        applyProfile: @escaping @Sendable (_ tenant: Int64, _ profile: Int64, _ by: String) async throws -> String,
        openTrace: @escaping @Sendable (_ tenant: Int64, _ wish: TraceWish) throws -> TraceReader,
        examineNAS: @escaping @Sendable (_ tenant: Int64, _ name: String?) async throws -> String,
        metrics: @escaping @Sendable () -> String,
        readiness: @escaping @Sendable () async -> Readiness
    ) {
        self.pool = pool
        self.logger = logger
        self.operatorToken = operatorToken
        self.seal = seal
        self.open = open
        self.validateAttribute = validateAttribute
        self.vendorNames = vendorNames
        self.explain = explain
        self.checkPolicy = checkPolicy
        self.testPolicy = testPolicy
        self.disconnect = disconnect
        self.coa = coa
        self.applyProfile = applyProfile
        self.openTrace = openTrace
        self.examineNAS = examineNAS
        self.metrics = metrics
        self.readiness = readiness
    }
}

/// What must work before requests may be sent here, each with its state.
public struct Readiness: Sendable {
    public struct Check: Sendable {
        public let name: String
        public let isReady: Bool
        /// What is wrong, or how it stands.
        public let detail: String

        public init(name: String, isReady: Bool, detail: String) {
            self.name = name
            self.isReady = isReady
            self.detail = detail
        }
    }

    public let checks: [Check]
    public var isReady: Bool { checks.allSatisfy(\.isReady) }

    public init(checks: [Check]) {
        self.checks = checks
    }
}

/// Why a service did not do what it was asked.
public enum ServiceFailure: Error, Equatable, Sendable {
    /// 404: the thing does not exist; the note says what else is to be known of that.
    case notFound(String, note: String? = nil)
    /// 409: the state forbids it.
    case conflict(String)
    /// 503: it may work later.
    case unavailable(String)
    /// 422: it can never work, such as CoA to a vendor that has none.
    case refused(String)
}
