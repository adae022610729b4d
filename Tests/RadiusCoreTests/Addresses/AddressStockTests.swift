import Testing

@testable import RadiusCore

@Suite struct AddressStockTests {
    private static let second: Int64 = 1_000_000
    private let first = IPAddress(ipv4: 0x0a00_0000)

    private func stock(_ count: Int = 4, settlesAt: Int64 = 0) -> AddressStock {
        var stock = AddressStock(prefixLength: 128, times: .init(offer: 10 * Self.second, quarantine: 60 * Self.second))
        stock.add(AddressBlock(id: 1, first: first, count: count, settlesAt: settlesAt), [])
        return stock
    }

    private func who(_ subscriber: Int64, _ station: UInt64 = 1) -> AddressClaimant {
        AddressClaimant(subscriber: subscriber, station: station)
    }

    private func address(_ offset: UInt32) -> IPAddress { IPAddress(ipv4: 0x0a00_0000 + offset) }

    @Test func handsOutEachItemOnce() {
        var stock = stock()
        let given = (1...4).map { stock.offer(who($0), at: 0)?.address }
        #expect(given == [address(0), address(1), address(2), address(3)])
        #expect(stock.offer(who(5), at: 0) == nil)
        #expect(stock.offeredCount == 4)
    }

    @Test func theSameLineThatAsksAgainGetsTheSame() {
        var stock = stock()
        #expect(stock.offer(who(1), at: 0)?.address == address(0))
        let again = stock.offer(who(1), at: 5)
        #expect(again?.address == address(0) && again?.choice == .again)
        #expect(stock.offer(who(1, 2), at: 6)?.address == address(1))
        // Who does not say which line it is cannot be told from another line.
        #expect(stock.offer(who(1, 0), at: 7)?.address == address(2))
        #expect(stock.offer(who(1, 0), at: 8)?.address == address(3))
    }

    @Test func aLineGetsItsAddressBackWhileItsOldSessionStillHasIt() {
        var stock = stock(2)
        _ = stock.offer(who(1), at: 0)
        stock.apply(AddressLease(address: address(0), claimant: who(1), isInUse: true))
        #expect(stock.state(of: address(0)) == .inUse)
        #expect(stock.offer(who(1), at: 20 * Self.second)?.address == address(0))
        // The old session ends: the new one is awaited, and nobody else gets the address.
        stock.apply(AddressLease(address: address(0), claimant: who(1), isInUse: false, quarantinedUntil: 80 * Self.second))
        #expect(stock.state(of: address(0)) == .offered)
        #expect(stock.offer(who(2), at: 21 * Self.second)?.address == address(1))
        #expect(stock.offer(who(3), at: 22 * Self.second) == nil)
    }

    @Test func whatWasReleasedRestsAndThenGoesToWhoeverHadItLast() {
        var stock = stock(3)
        _ = stock.offer(who(1), at: 0)
        stock.apply(AddressLease(address: address(0), claimant: who(1), isInUse: true))
        stock.advance(horizon: 30 * Self.second, at: 30 * Self.second)
        stock.apply(AddressLease(address: address(0), claimant: who(1), isInUse: false, quarantinedUntil: 90 * Self.second))
        #expect(stock.state(of: address(0)) == .quarantined)
        #expect(stock.offer(who(2), at: 31 * Self.second)?.address == address(1))
        stock.advance(horizon: 91 * Self.second, at: 91 * Self.second)
        #expect(stock.state(of: address(0)) == .free)
        // Another one is free for longer.
        #expect(stock.offer(who(3), at: 92 * Self.second)?.address == address(2))
        let back = stock.offer(who(1, 7), at: 93 * Self.second)
        #expect(back?.address == address(0) && back?.choice == .sticky)
    }

    @Test func anOfferWithoutASessionLapsesOnlyOnceAllAccountingIsKnown() {
        var stock = stock(1)
        _ = stock.offer(who(1), at: 0)
        #expect(stock.lapsed(horizon: 10 * Self.second, limit: 9).isEmpty)
        let lapsed = stock.lapsed(horizon: 10 * Self.second + 1, limit: 9)
        #expect(lapsed.map(\.address) == [address(0)])
        // Asked again meanwhile: not this offer's end.
        _ = stock.offer(who(1), at: 5 * Self.second)
        stock.lapse(address(0), horizon: 10 * Self.second + 1, at: 11 * Self.second)
        #expect(stock.state(of: address(0)) == .offered)
        stock.lapse(address(0), horizon: 16 * Self.second, at: 17 * Self.second)
        #expect(stock.state(of: address(0)) == .quarantined)
        stock.advance(horizon: 76 * Self.second, at: 77 * Self.second)
        #expect(stock.offer(who(2), at: 78 * Self.second)?.address == address(0))
    }

    @Test func aBlockOfAnotherWaitsUntilItsOffersAreSettled() {
        var stock = AddressStock(prefixLength: 128, times: .init(offer: 10, quarantine: 60))
        let known = [AddressLease(address: address(1), claimant: who(9), isInUse: true)]
        stock.add(AddressBlock(id: 7, first: first, count: 2, settlesAt: 500), known)
        #expect(stock.unsettled == 1 && stock.inUse == 1)
        #expect(stock.offer(who(1), at: 100) == nil)
        stock.advance(horizon: 500, at: 600)
        #expect(stock.offer(who(1), at: 600) == nil)
        stock.advance(horizon: 501, at: 601)
        #expect(stock.offer(who(1), at: 601)?.address == address(0))
        #expect(stock.offer(who(2), at: 601) == nil)
    }

    @Test func whatIsReleasedInAnUnsettledBlockWaitsWithIt() {
        var stock = AddressStock(prefixLength: 128, times: .init(offer: 10, quarantine: 0))
        let known = [AddressLease(address: address(0), claimant: who(9), isInUse: true)]
        stock.add(AddressBlock(id: 7, first: first, count: 1, settlesAt: 500), known)
        stock.apply(AddressLease(address: address(0), claimant: who(9), isInUse: false))
        #expect(stock.state(of: address(0)) == .unsettled)
        #expect(stock.offer(who(1), at: 100) == nil && stock.offer(who(9), at: 100) == nil)
        stock.advance(horizon: 501, at: 501)
        #expect(stock.offer(who(1), at: 501)?.address == address(0))
    }

    @Test func anAddressThatSomebodyElseUsesIsCountedAndNotHandedOut() {
        var stock = stock(1)
        stock.apply(AddressLease(address: address(0), claimant: who(5), isInUse: true))
        #expect(stock.offer(who(1), at: 1) == nil)
        #expect(stock.conflicts == 0)
        var offered = self.stock(1)
        _ = offered.offer(who(1), at: 0)
        offered.apply(AddressLease(address: address(0), claimant: who(5), isInUse: true))
        #expect(offered.conflicts == 1)
        #expect(offered.offer(who(2), at: 1) == nil)
        offered.apply(AddressLease(address: address(0), claimant: who(5), isInUse: true, isContested: true))
        #expect(offered.conflicts == 2)
        #expect(offered.offer(who(5), at: 1) == nil)
    }

    @Test func prefixesFollowEachOtherByTheirLength() throws {
        var stock = AddressStock(prefixLength: 56, times: .init())
        let first = try #require(IPAddress(text: "2001:db8:0:ff00::"))
        stock.add(AddressBlock(id: 1, first: first, count: 3, settlesAt: 0), [])
        let given = (1...3).compactMap { stock.offer(who($0), at: 0)?.address.text }
        #expect(given == ["2001:db8:0:ff00::", "2001:db8:1::", "2001:db8:1:100::"])
        #expect(first.advanced(by: 256, of: 56).text == "2001:db8:1:ff00::")
    }

    @Test func aBlockThatGoesTellsUntilWhenItsOffersCount() {
        var stock = stock()
        #expect(stock.spareBlocks() == [SpareBlock(id: 1, count: 4, free: 4)])
        _ = stock.offer(who(1), at: 40)
        #expect(stock.spareBlocks() == [SpareBlock(id: 1, count: 4, free: 3, isAwaited: true)])
        #expect(stock.remove(1) == 40 + 10 * Self.second)
        #expect(stock.remove(1) == nil)
        #expect(stock.count == 0 && stock.freeCount == 0 && stock.offeredCount == 0 && stock.unsettled == 0)
        #expect(stock.offer(who(1), at: 41) == nil)
    }

    @Test func aBlockThatIsInUseInPartIsSpareOnceNoOfferOfItIsAwaited() {
        var stock = stock()
        _ = stock.offer(who(1), at: Self.second)
        let lease = AddressLease(address: address(0), claimant: who(1), isInUse: true)
        stock.apply(lease)
        stock.advance(horizon: 11 * Self.second, at: 11 * Self.second)
        #expect(stock.spareBlocks() == [SpareBlock(id: 1, count: 4, free: 3, isAwaited: true)])
        stock.advance(horizon: 12 * Self.second, at: 12 * Self.second)
        #expect(stock.spareBlocks() == [SpareBlock(id: 1, count: 4, free: 3)])
        // Whether a session that does not say what it has came of it is asked when the offer lapses, and not before.
        _ = stock.offer(who(2), at: 12 * Self.second)
        stock.advance(horizon: 40 * Self.second, at: 40 * Self.second)
        #expect(stock.spareBlocks() == [SpareBlock(id: 1, count: 4, free: 2, isAwaited: true)])
        stock.lapse(address(1), horizon: 40 * Self.second, at: 40 * Self.second)
        #expect(stock.spareBlocks() == [SpareBlock(id: 1, count: 4, free: 2)])
        var other = AddressStock(prefixLength: 128, times: stock.times)
        let settlesAt = stock.remove(1) ?? -1
        other.add(AddressBlock(id: 1, first: first, count: 4, settlesAt: settlesAt), [lease])
        other.advance(horizon: 41 * Self.second, at: 41 * Self.second)
        #expect((3...6).map { other.offer(who($0), at: 41 * Self.second)?.address } == [address(1), address(2), address(3), nil])
    }

    /// A holder with steady log-ins has a block for others after one offer time.
    @Test func whatIsWithheldIsHandedOutLast() {
        var stock = stock(2)
        stock.add(AddressBlock(id: 2, first: address(16), count: 2, settlesAt: 0), [])
        #expect(stock.offer(who(1), at: 0)?.address == address(0))
        #expect(stock.offer(who(2), at: 0)?.address == address(1))
        #expect(stock.offer(who(3), at: Self.second)?.address == address(16))
        stock.apply(AddressLease(address: address(0), claimant: who(1), isInUse: true))
        stock.advance(horizon: 12 * Self.second, at: 12 * Self.second)
        stock.lapse(address(1), horizon: 12 * Self.second, at: 12 * Self.second)
        stock.lapse(address(16), horizon: 12 * Self.second, at: 12 * Self.second)
        stock.advance(horizon: 72 * Self.second, at: 72 * Self.second)
        #expect(stock.freeCount == 3)
        stock.withhold([2])
        #expect(stock.freeCount == 3)
        // Not even its former line gets what is withheld, as long as there is something else.
        #expect(stock.offer(who(3), at: 73 * Self.second)?.address == address(1))
        #expect(stock.spareBlocks() == [SpareBlock(id: 2, count: 2, free: 2, isWithheld: true)])
        #expect(stock.offer(who(4), at: 74 * Self.second)?.address == address(16))
        #expect(stock.spareBlocks() == [SpareBlock(id: 2, count: 2, free: 1, isAwaited: true, isWithheld: true)])
        stock.withhold([])
        #expect(stock.offer(who(5), at: 75 * Self.second)?.address == address(17))
        #expect(stock.freeCount == 0 && stock.spareBlocks().isEmpty)
    }

    @Test func namesWhatRestsAfterAnOffer() {
        var stock = stock()
        for subscriber in 1...3 { _ = stock.offer(who(Int64(subscriber)), at: 0) }
        stock.apply(AddressLease(address: address(1), claimant: who(2), isInUse: true))
        stock.advance(horizon: 20 * Self.second, at: 20 * Self.second)
        stock.apply(AddressLease(address: address(1), claimant: who(2), isInUse: false, quarantinedUntil: 80 * Self.second))
        stock.lapse(address(0), horizon: 20 * Self.second, at: 20 * Self.second)
        // The second rests, too, but the database said so; the third is still offered.
        #expect(stock.quarantinedCount == 2 && stock.offeredCount == 1)
        #expect(stock.resting(in: 1).map(\.address) == [address(0)])
        #expect(stock.resting(in: 1).map(\.until) == [80 * Self.second])
        #expect(stock.resting(in: 2).isEmpty)
        stock.advance(horizon: 80 * Self.second, at: 80 * Self.second)
        #expect(stock.resting(in: 1).isEmpty)
    }
}
