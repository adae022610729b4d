import Logging
import RadiusCore

/// Tells the log when the journal begins and ceases to refuse records; the journal itself never logs. Shipper thread.
struct JournalWatch {
    private let logger: Logger
    private var isRefusing = false
    private var refused: UInt64 = 0

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func look(_ journal: Journal) {
        let state = journal.state
        guard case .refusing = state else {
            if isRefusing, state == .healthy {
                logger.notice(
                    "the accounting journal takes records again",
                    metadata: ["unanswered": "\(journal.statistics().refused - refused)"])
                isRefusing = false
            }
            return
        }
        guard !isRefusing else { return }
        isRefusing = true
        refused = journal.statistics().refused
        logger.critical(
            "accounting is not acknowledged: the journal cannot be written",
            metadata: ["journal": "\(journal.directory)", "state": "\(state.text)"])
    }
}
