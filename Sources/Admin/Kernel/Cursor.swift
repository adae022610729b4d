internal import Crypto
import Database
internal import RadiusCore

/// The place in a list after which the next page begins; signed, so that callers cannot make one up.
struct Cursor {
    /// The order's values of the last row seen, as PostgreSQL writes them; nil for NULL.
    let values: [String?]

    /// Opaque text, bound to the list that `scope` describes (tenant, resource, filters, order).
    func text(scope: String, key: SymmetricKey) -> String {
        let payload = JSON.array(values.map { $0.map(JSON.string) ?? .null }).bytes
        let tag = Self.tag(payload, scope: scope, key: key)
        return Base64.url.text(of: tag + payload)
    }

    /// - Throws: `Problem` when the text was not made by `text` for this very list.
    init(_ text: String, scope: String, key: SymmetricKey, count: Int) throws(Problem) {
        let octets = Base64.url.octets(of: text)
        guard let octets, octets.count > Self.tagLength else { throw .badCursor("it is no cursor; take the one of page.next") }
        let payload = Array(octets[Self.tagLength...])
        guard ConstantTime.equal(Array(octets[..<Self.tagLength]), Self.tag(payload, scope: scope, key: key)) else {
            throw .badCursor("it belongs to another list, filter or order; start over without a cursor")
        }
        guard let elements = (try? JSONParser.parse(payload))?.elements, elements.count == count else {
            throw .badCursor("it is damaged")
        }
        values = elements.map(\.text)
    }

    init(values: [String?]) {
        self.values = values
    }

    private static let tagLength = 16

    private static func tag(_ payload: [UInt8], scope: String, key: SymmetricKey) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(for: Array(scope.utf8) + [0] + payload, using: key)
        return Array(Array(code).prefix(tagLength))
    }

    /// The condition that a row stands after this place; NULL stands last in an ascending order and first in a descending one,
    /// as PostgreSQL sorts.
    func condition(_ order: [ListQuery.Order], _ statement: inout Statement) -> String {
        var condition = "false"
        for (order, value) in zip(order, values).reversed() {
            let operand = order.field.operand
            guard let value else {
                let beyond = order.isDescending ? "\(operand) IS NOT NULL OR " : ""
                condition = "(\(beyond)(\(operand) IS NULL AND \(condition)))"
                continue
            }
            let placeholder = statement.bind(.text(value), as: order.field)
            let mayBeNull = !order.isDescending && (order.field.isNullable || order.field.expression != nil)
            let beyond = "\(operand) \(order.isDescending ? "<" : ">") \(placeholder)" + (mayBeNull ? " OR \(operand) IS NULL" : "")
            condition = condition == "false" ? "(\(beyond))" : "(\(beyond) OR (\(operand) = \(placeholder) AND \(condition)))"
        }
        return condition
    }
}

/// Comparisons whose duration does not tell where two values differ.
enum ConstantTime {
    static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
