import Synchronization
import Testing

@testable import RadiusCore

@Suite struct RateLimitWatchTests {
    @Test func namesANASOnceInTenMinutesAndHowManyCameSince() {
        let client = TestServer.loopback()
        var watch = RateLimitWatch()
        func look(at seconds: Int64) -> [UInt64] { watch.look(at: [client], nowSeconds: seconds).map(\.dropped) }
        #expect(look(at: 10) == [])
        client.observation.rateLimited.add(3, ordering: .relaxed)
        #expect(look(at: 20) == [3])
        client.observation.rateLimited.add(4, ordering: .relaxed)
        #expect(look(at: 619) == [])
        #expect(look(at: 620) == [4])
        #expect(look(at: 2000) == [])
    }
}
