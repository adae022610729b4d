import Database
import Glibc
import Provisioning
import RadiusCore
import Support
import Testing

/// The database goes away and comes back: as it was, or as it was earlier.
@Suite(.serialized) struct SnapshotOutageTests {
    @Test func aServerThatWasKilledIsCaughtUpWithFromTheOutbox() async throws {
        try await OwnServer.withDesk { desk, cluster in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.subscriber("alice", profile: profile)
            try await desk.follow()
            let postmaster = try #require(cluster.postmaster)
            kill(postmaster, SIGKILL)
            try await eventually { cluster.restarts >= 1 && cluster.postmaster != nil }
            #expect(desk.explain("alice") != nil)
            try await eventually { (try? await desk.subscriber("bob", profile: profile)) != nil }
            try await eventually { desk.explain("bob") != nil }
            #expect(desk.explain("alice") != nil)
            #expect(desk.feed.state.loads == 1)
        }
    }

    @Test func aServerRestoredToAnEarlierStateIsReadAnew() async throws {
        try await OwnServer.withDesk { desk, cluster in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.subscriber("alice", profile: profile)
            try await desk.follow()
            await cluster.stop()
            let data = cluster.directory + "/data"
            _ = try await Tool.run("cp", ["-a", data, data + ".saved"])
            try await cluster.start()
            try await eventually { (try? await desk.subscriber("lost", profile: profile)) != nil }
            try await eventually { desk.explain("lost") != nil }
            #expect(desk.feed.state.loads == 1)
            await cluster.stop()
            _ = try await Tool.run("rm", ["-rf", data])
            _ = try await Tool.run("mv", [data + ".saved", data])
            try await cluster.start()
            // As many transactions as were lost, and the same row number for another change.
            try await eventually { (try? await desk.subscriber("bob", profile: profile)) != nil }
            try await eventually { desk.explain("bob") != nil && desk.explain("lost") == nil }
            #expect(desk.explain("alice") != nil)
            #expect(desk.feed.state.loads == 2)
            try await desk.subscriber("carol", profile: profile)
            try await eventually { desk.explain("carol") != nil }
            #expect(desk.feed.state.loads == 2)
        }
    }

    @Test func whatIsInForceStaysWhileTheDatabaseIsAwayAndSaysHowOldItIs() async throws {
        try await OwnServer.withDesk { desk, cluster in
            try await desk.nas()
            try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.follow()
            await cluster.stop()
            try await eventually { !desk.feed.state.isConnected }
            let behind = desk.feed.state.behindSeconds
            try await eventually { desk.feed.state.behindSeconds > behind }
            #expect(desk.explain("alice")?.isAccepted == true)
            try await cluster.start()
            try await eventually { desk.feed.state.isConnected }
        }
    }
}
