/// Why counting or judging ends without a verdict: what, where, and what to do.
struct CountFault: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
