extension SnapshotFeed {
    /// What the feed has done, readable at any time.
    public struct Statistics: Sendable {
        public var isLoaded = false
        /// Everything is being read.
        public var isLoading = false
        public var isConnected = false
        public var loads: UInt64 = 0
        public var changes: UInt64 = 0
        /// Subscribers that the load under way, or the last one, has read.
        public var subscribersRead = 0
        /// Age of the oldest change in the last batch, when it came into force.
        public var lagMicroseconds: Int64 = 0
        /// When the last look that ended well began: what was committed before is in force.
        public var lookedAt: ContinuousClock.Instant?
        /// When a look that has not ended yet began.
        var lookingSince: ContinuousClock.Instant?
        /// What the answers lack of what was asked for, and why, until it is mended: what was left out, and rates that a NAS cannot
        /// be told in full.
        public var problems: [String] = []
        /// Why changes are not followed, until they are.
        public var lastError: String?
        /// Why the last load came to nothing, until one ends well; changes may be followed all the same.
        public var loadError: String?

        /// Seconds that a look may take before the database counts as hanging.
        public static let patienceSeconds = 10.0

        /// How long the look that is under way has waited for the database, in seconds.
        public var silentSeconds: Double {
            lookingSince.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0
        }

        /// Connected, and the database answers there.
        public var isAnswered: Bool { isConnected && silentSeconds < Self.patienceSeconds }

        /// How long the snapshot may be behind the database, in seconds; grows while the database is away.
        public var behindSeconds: Double {
            lookedAt.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0
        }
    }
}
