import Support
import Testing

/// A subscriber gets online: the daemon as it is shipped, driven from outside by Debian's own peers and our command line.
@Suite(.lastWordsOfTheDaemon) struct SpineTests {}

/// Prints the end of the shared daemon's log when a test throws.
struct LastWords: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        do {
            try await function()
        } catch {
            if let daemon = await SharedDaemon.running() { print("-- last words of the shared daemon:\n\(daemon.logTail)\n--") }
            throw error
        }
    }
}

extension Trait where Self == LastWords {
    static var lastWordsOfTheDaemon: LastWords { LastWords() }
}
