import Synchronization
import Testing

@testable import RadiusCore

@Suite struct SnapshotStoreTests {
    private func snapshot() -> Snapshot {
        Snapshot(
            clients: ClientTable([]), subscribers: SubscriberTable(SubscriberIndexBuilder().build()), profiles: [:], policies: [:],
            dictionary: RadiusDictionary(tables: DictionaryTables()))
    }

    @Test func aFormerSnapshotIsLetGoWhenNobodyReadsIt() {
        let store = SnapshotStore(snapshot())
        var reader: Snapshot? = store.snapshot
        weak let first = store.snapshot
        store.publish(snapshot())
        #expect(store.releaseRetired() == 1)
        // The reader's own release is not the last one.
        reader = nil
        #expect(first != nil && reader == nil)
        #expect(store.releaseRetired() == 0)
        #expect(first == nil)
    }

    @Test func publishingRaisesTheGenerationAndKeepsWhatIsRead() {
        let store = SnapshotStore(snapshot())
        let before = store.generation.load(ordering: .acquiring)
        let held = (0..<3).map { _ in
            let held = store.snapshot
            store.publish(snapshot())
            return held
        }
        #expect(store.generation.load(ordering: .acquiring) == before + 3)
        #expect(store.releaseRetired() == 3)
        #expect(!held.contains { $0 === store.snapshot })
    }
}
