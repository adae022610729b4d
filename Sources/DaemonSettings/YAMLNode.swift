/// Where something stands in a text: both count from 1.
struct TextPlace: Sendable, Equatable {
    let line: Int
    let column: Int
}

/// A value of a YAML document with its place; only what settings use, so no aliases and no tags.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// `isPlain` tells `~` from `"~"`.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Pair])
    }

    struct Pair: Sendable {
        let key: String
        let place: TextPlace
        let value: YAMLNode
    }

    let content: Content
    let place: TextPlace

    /// Whether nothing was written: an empty value, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }
}

/// Why a text is not a YAML document that settings may use.
struct YAMLError: Error, Equatable {
    let place: TextPlace
    let problem: String
    var remedy = ""
}
