import Database
import Provisioning
import Support
import Synchronization
import Testing

@testable import RadiusCore

/// What clients were seen to do outlives snapshots and daemons.
@Suite struct ObservationTests {
    private func client(_ feed: SnapshotFeed) -> NASClient? {
        IPAddress(text: "192.0.2.7").flatMap { feed.store.snapshot.clients.find($0) }
    }

    /// `requires limits` as stored; `-` for null, empty without a row.
    private func stored(_ desk: SnapshotDesk) async throws -> String {
        try await desk.pool.transaction(.system) {
            try $0.queryOne(
                """
                SELECT coalesce(requires_message_authenticator::text, '-') || ' ' || coalesce(limits_proxy_state::text, '-')
                FROM aaa.nas_observation
                """)?.string(0) ?? ""
        }
    }

    private func see(_ feed: SnapshotFeed, signed: Bool, hasProxyState: Bool, at seconds: Int64) throws {
        let observation = try #require(client(feed)).observation
        observation.learn(signed: signed, hasProxyState: hasProxyState)
        observation.lastSeenSeconds.store(seconds, ordering: .relaxed)
    }

    @Test func whatWasLearnedIsKeptWrittenAndReadBack() async throws {
        try await SnapshotDesk.with { desk in
            let id = try await desk.nas()
            try await desk.follow()
            let before = try #require(client(desk.feed))
            #expect(before.observation.requiresMessageAuthenticator == nil)
            try see(desk.feed, signed: true, hasProxyState: false, at: 1_700_000_000)
            try await desk.sql("UPDATE aaa.nas SET notes = 'x', vendor = 'cisco' WHERE id = $1", [.int(id)])
            try await eventually { client(desk.feed)?.vendor == .cisco }
            #expect(client(desk.feed)?.observation === before.observation)
            try await eventually { try await stored(desk) == "true true" }
            let seen = try await desk.sql("SELECT extract(epoch FROM last_seen_at)::bigint FROM aaa.nas_observation")
            #expect(seen == 1_700_000_000)
            let next = try SnapshotDesk.anotherFeed(desk.configuration, desk.secrets)
            try await SnapshotDesk.start(next)
            #expect(client(next)?.observation.requiresMessageAuthenticator == true)
            #expect(client(next)?.observation.limitsProxyState == true)
            #expect(client(next)?.demandsMessageAuthenticator == true)
            try await SnapshotDesk.end(next)
        }
    }

    @Test func whatIsLearnedShortlyBeforeTheEndIsWritten() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let feed = try SnapshotDesk.anotherFeed(desk.configuration, desk.secrets)
            try await SnapshotDesk.start(feed)
            try see(feed, signed: false, hasProxyState: true, at: 1_700_000_000)
            try await SnapshotDesk.end(feed)
            #expect(try await stored(desk) == "false false")
        }
    }

    /// Two nodes see the same NAS; it signs only what it sends to one of them.
    @Test func aNodeThatSawNoSignatureDoesNotUndoWhatAnotherSaw() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let feeds = [
                try SnapshotDesk.anotherFeed(desk.configuration, desk.secrets),
                try SnapshotDesk.anotherFeed(desk.configuration, desk.secrets),
            ]
            for feed in feeds { try await SnapshotDesk.start(feed) }
            try see(feeds[0], signed: true, hasProxyState: false, at: 1_700_000_000)
            try await SnapshotDesk.end(feeds[0])
            try see(feeds[1], signed: false, hasProxyState: true, at: 1_700_000_100)
            try await SnapshotDesk.end(feeds[1])
            #expect(try await stored(desk) == "true true")
            let seen = try await desk.sql("SELECT extract(epoch FROM last_seen_at)::bigint FROM aaa.nas_observation")
            #expect(seen == 1_700_000_100)
        }
    }
}
