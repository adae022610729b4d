import Glibc
import Support
import Testing

/// Programs that tests start.
@Suite struct RunningProcessTests {
    @Test func aProgramThatIsKilledAndForgottenLeavesNothingInTheProcessTable() async throws {
        let process = try await {
            let tool = try await Tool.start("sleep", ["600"])
            #expect(access("/proc/\(tool.process.identifier)", F_OK) == 0)
            tool.remove()
            return tool.process.identifier
        }()
        try await eventually { access("/proc/\(process)", F_OK) != 0 }
    }
}
