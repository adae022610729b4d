import CLinux
import Glibc

/// Wakes a thread that waits; signals that come before the wait are kept as one. Any thread.
public final class WakeSignal: Sendable {
    /// An eventfd, also for `Journal.addListener`; -1 when the system had none left, and then waits only time out.
    public let eventFD: Int32

    public init() {
        eventFD = lm_eventfd()
    }

    deinit {
        if eventFD >= 0 { Glibc.close(eventFD) }
    }

    public func signal() {
        if eventFD >= 0 { lm_eventfd_signal(eventFD) }
    }

    /// Waits for a signal and takes it; whether there was one in time.
    @discardableResult
    public func wait(timeoutMilliseconds: Int) -> Bool {
        var waiting = pollfd(fd: eventFD, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Int32(clamping: timeoutMilliseconds)) > 0 else { return false }
        lm_eventfd_drain(eventFD)
        return true
    }
}
