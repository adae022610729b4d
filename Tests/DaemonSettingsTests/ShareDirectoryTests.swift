import Testing

@testable import DaemonSettings

@Suite struct ShareDirectoryTests {
    @Test func findsNothingAboveAPathWithoutDictionaries() {
        #expect(ShareDirectory.above("/proc/self/exe") == nil)
        #expect(ShareDirectory.above("") == nil)
        #expect(ShareDirectory.above("relative") == nil)
    }

    @Test func discoversAnAbsoluteDirectory() {
        #expect(ShareDirectory.discovered().hasPrefix("/"))
    }
}
