/// How many places a subscriber may be online from at once, and what becomes of one more.
public struct SessionLimit: Sendable, BitwiseCopyable, Equatable {
    /// 1...`largest`; 0: as many as it likes.
    public var count: UInt16
    /// The oldest session gives way; else the newest is refused.
    public var replaces: Bool

    public static let largest: UInt16 = 64
    public static let none = SessionLimit(count: 0, replaces: false)

    public init(count: UInt16, replaces: Bool) {
        self.count = min(count, Self.largest)
        self.replaces = replaces
    }

    /// As API and database spell what becomes of one more.
    public var word: String { replaces ? "replace" : "reject" }
}
