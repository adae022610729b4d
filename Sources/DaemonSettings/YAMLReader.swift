internal import CYAML

/// Reads one YAML document with libyaml.
///
/// Refuses what settings do not need: aliases (which can grow without bound), tags, keys that are not scalars,
/// nesting deeper than `depthLimit`, and a second document.
struct YAMLReader: ~Copyable {
    private static let depthLimit = 16

    // libyaml keeps a pointer to the parser inside the parser, so it must not move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: [UInt8]

    /// The document in `text`, or nil when it has none (an empty file, or only comments).
    static func document(in text: [UInt8]) throws(YAMLError) -> YAMLNode? {
        let reader = YAMLReader(text)
        return try text.withUnsafeBufferPointer { (bytes) throws(YAMLError) in
            yaml_parser_set_input_string(reader.parser, bytes.baseAddress, bytes.count)
            return try reader.document()
        }
    }

    private init(_ text: [UInt8]) {
        self.text = text
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        // Fails only when memory has run out, which ends the process anyway.
        precondition(yaml_parser_initialize(parser) == 1, "no memory for a YAML parser")
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deinitialize(count: 1)
        parser.deallocate()
    }

    private func document() throws(YAMLError) -> YAMLNode? {
        var event = try next()
        while event.kind == .streamStart { event = try next() }
        guard event.kind == .documentStart else { return nil }
        let node = try node(startingWith: next(), depth: 0)
        event = try next()
        while event.kind == .documentEnd { event = try next() }
        guard event.kind == .streamEnd else {
            throw YAMLError(place: event.place, problem: "a second document starts here", remedy: "keep all keys in one document")
        }
        return node
    }

    private func node(startingWith event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth < Self.depthLimit else {
            throw YAMLError(place: event.place, problem: "nested deeper than \(Self.depthLimit) levels")
        }
        switch event.kind {
        case .scalar(let text, let isPlain):
            return YAMLNode(content: .scalar(text, isPlain: isPlain), place: event.place)
        case .sequenceStart:
            return try sequence(at: event.place, depth: depth)
        case .mappingStart:
            return try mapping(at: event.place, depth: depth)
        case .alias:
            throw YAMLError(place: event.place, problem: "aliases (*name) are not read here", remedy: "write the value out")
        default:
            throw YAMLError(place: event.place, problem: "a value was expected")
        }
    }

    private func sequence(at place: TextPlace, depth: Int) throws(YAMLError) -> YAMLNode {
        var nodes: [YAMLNode] = []
        while true {
            let event = try next()
            if event.kind == .sequenceEnd { return YAMLNode(content: .sequence(nodes), place: place) }
            nodes.append(try node(startingWith: event, depth: depth + 1))
        }
    }

    private func mapping(at place: TextPlace, depth: Int) throws(YAMLError) -> YAMLNode {
        var pairs: [YAMLNode.Pair] = []
        while true {
            let event = try next()
            if event.kind == .mappingEnd { return YAMLNode(content: .mapping(pairs), place: place) }
            guard case .scalar(let key, _) = event.kind else {
                throw YAMLError(place: event.place, problem: "a key must be a plain word", remedy: "write it as name: value")
            }
            pairs.append(.init(key: key, place: event.place, value: try node(startingWith: next(), depth: depth + 1)))
        }
    }
}

extension YAMLReader {
    private struct Event {
        enum Kind: Equatable {
            case streamStart, streamEnd, documentStart, documentEnd, sequenceStart, sequenceEnd, mappingStart, mappingEnd, alias
            case scalar(String, isPlain: Bool)
        }
        let kind: Kind
        let place: TextPlace
    }

    private func next() throws(YAMLError) -> Event {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw syntaxError() }
        defer { yaml_event_delete(&raw) }
        let place = Self.place(raw.start_mark)
        switch raw.type {
        case YAML_STREAM_START_EVENT: return Event(kind: .streamStart, place: place)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, place: place)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, place: place)
        case YAML_SEQUENCE_START_EVENT:
            try refuseTag(raw.data.sequence_start.tag, at: place)
            return Event(kind: .sequenceStart, place: place)
        case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, place: place)
        case YAML_MAPPING_START_EVENT:
            try refuseTag(raw.data.mapping_start.tag, at: place)
            return Event(kind: .mappingStart, place: place)
        case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, place: place)
        case YAML_ALIAS_EVENT: return Event(kind: .alias, place: place)
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            try refuseTag(scalar.tag, at: place)
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return Event(kind: .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE), place: place)
        default: return Event(kind: .streamEnd, place: place)
        }
    }

    private func refuseTag(_ tag: UnsafeMutablePointer<UInt8>?, at place: TextPlace) throws(YAMLError) {
        guard tag == nil else {
            throw YAMLError(place: place, problem: "tags (!name) are not read here", remedy: "write the value alone")
        }
    }

    private func syntaxError() -> YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
        // The byte reader knows an offset only, the other stages a mark.
        let isEncoding = parser.pointee.error == YAML_READER_ERROR
        let place = isEncoding ? place(ofOffset: parser.pointee.problem_offset) : Self.place(parser.pointee.problem_mark)
        return YAMLError(place: place, problem: problem, remedy: isEncoding ? "save the file as UTF-8" : "")
    }

    private func place(ofOffset offset: Int) -> TextPlace {
        let before = text.prefix(max(0, offset))
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return TextPlace(line: before.count { $0 == 0x0A } + 1, column: before.count - lineStart + 1)
    }

    private static func place(_ mark: yaml_mark_t) -> TextPlace {
        TextPlace(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
