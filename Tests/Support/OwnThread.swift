internal import Glibc

/// Runs what blocks on a thread of its own, so that the few threads of Swift's pool stay free.
public enum OwnThread {
    /// - Parameter body: may block for as long as it likes.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws.
    public static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let work = Work { continuation.resume(with: Result { try body() }) }
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                    return nil
                }, Unmanaged.passRetained(work).toOpaque())
            guard code == 0 else { return continuation.resume(throwing: HTTPFailure(description: "no thread: error \(code)")) }
            pthread_detach(thread)
        }
    }

    private final class Work: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
