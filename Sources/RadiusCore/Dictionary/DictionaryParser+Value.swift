extension DictionaryParser {
    /// `VALUE attribute name number`; the attribute may come later.
    mutating func readValue() throws(DictionaryFault) {
        try expectWords(4...4, "VALUE takes an attribute's name, a name and a number")
        let name = source.text(2)
        guard source.isPrintable(2), name.utf8.count <= Self.longestName else {
            throw DictionaryFault("the name of a value is at most \(Self.longestName) octets without control characters")
        }
        guard let number = source.number(3) else { throw DictionaryFault("\(source.text(3)) is no number") }
        if let attribute = valueAttribute() {
            lastAttribute = attribute
            try tables.addValue(name, number, of: attribute)
        } else {
            pending.append(
                PendingValue(attribute: source.text(1), name: name, number: number, file: source.path, line: source.line))
        }
    }

    /// The attribute of a VALUE line; mostly that of the line before.
    private func valueAttribute() -> AttributeDefinition? {
        if let last = lastAttribute, source.word(1, isName: last.name) { return last }
        return tables.attribute(named: source.text(1))
    }

    /// `VALUE-ALIAS attribute other`: the first has the values of the second.
    mutating func readValueAlias() throws(DictionaryFault) {
        try expectWords(3...3, "VALUE-ALIAS takes two attributes' names")
        try tables.aliasValues(of: definedAttribute(1), to: definedAttribute(2))
    }

    /// The attribute that a word names.
    func definedAttribute(_ index: Int) throws(DictionaryFault) -> AttributeDefinition {
        guard let attribute = tables.attribute(named: source.text(index)) else {
            throw DictionaryFault("\(source.text(index)) is no attribute; its ATTRIBUTE line has to stand above")
        }
        return attribute
    }
}
