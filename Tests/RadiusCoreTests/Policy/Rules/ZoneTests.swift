import Testing

@testable import RadiusCore

@Suite struct ZoneTests {
    /// What `date` of the GNU coreutils says: offset in minutes, weekday, hour and minute.
    @Test(
        arguments: [
            ("Europe/Kyiv", 1_000_000_000, 180, 7, 286), ("Europe/Kyiv", 1_711_846_799, 120, 7, 179),
            ("Europe/Kyiv", 1_711_846_800, 180, 7, 240),
            ("Europe/Kyiv", 1_729_990_799, 180, 7, 239), ("Europe/Kyiv", 1_729_990_800, 120, 7, 180),
            ("Europe/Kyiv", 2_524_608_000, 120, 6, 120),
            ("Europe/Kyiv", 3_786_912_000, 120, 7, 120), ("America/New_York", 1_000_000_000, -240, 6, 1306),
            ("America/New_York", 2_524_608_000, -300, 5, 1140), ("Australia/Lord_Howe", 1_000_000_000, 630, 7, 736),
            ("Australia/Lord_Howe", 2_524_608_000, 660, 6, 660), ("Asia/Kathmandu", 0, 330, 4, 330),
            ("Asia/Kathmandu", 2_524_608_000, 345, 6, 345),
            ("Pacific/Apia", 1_729_990_800, 780, 7, 840), ("Europe/Dublin", 1_711_846_800, 60, 7, 120),
            ("Europe/Dublin", 3_786_912_000, 0, 7, 0),
            ("Africa/Casablanca", 1_711_846_800, 0, 7, 60),
        ] as [(String, Int64, Int32, UInt64, UInt64)])
    func clocksShowWhatDateSays(zone: String, seconds: Int64, minutes: Int32, weekday: UInt64, minuteOfDay: UInt64) throws {
        let zone = try ZoneOffsets.load(zone)
        #expect(zone.offset(at: seconds) == minutes * 60)
        let local = zone.local(seconds)
        #expect(local.weekday == weekday && local.minuteOfDay == minuteOfDay)
    }

    @Test func aWindowFollowsDaylightSaving() throws {
        let kyiv = try ZoneOffsets.load("Europe/Kyiv")
        // 2024-03-30 and 2024-04-01, 20:30 UTC: 22:30 and 23:30 in Kyiv.
        #expect(try RuleDesk.holds("time.of_day in 22:00..22:59", seconds: 1_711_830_600, zone: kyiv))
        #expect(try !RuleDesk.holds("time.of_day in 22:00..22:59", seconds: 1_712_003_400, zone: kyiv))
        #expect(try RuleDesk.holds("time.of_day in 23:00..22:00 and time.weekday == mon", seconds: 1_712_003_400, zone: kyiv))
        #expect(try RuleDesk.holds("time.date == 2024-04-02", seconds: 1_712_005_201, zone: kyiv))
    }

    @Test(arguments: ["", "../zoneinfo/UTC", "/etc/passwd", "Europe/Kyivv", "Europe", "Europe/Kyiv\0"])
    func refusesWhatIsNoZone(name: String) {
        #expect(throws: ZoneFault.self) { try ZoneOffsets.load(name) }
    }

    @Test func theNextYearsComeFromTheRule() throws {
        let rule = try ZoneRule(Array("EET-2EEST,M3.5.0/3,M10.5.0/4".utf8))
        #expect(rule.changes(from: 2024, to: 2024).map(\.at) == [1_711_846_800, 1_729_990_800])
        // In the south summer begins late in the year; <-03>3<-02> is how Greenland writes it.
        let south = try ZoneRule(Array("AEST-10AEDT,M10.1.0,M4.1.0/3".utf8))
        #expect(south.changes(from: 2024, to: 2024).map(\.at) == [1_712_419_200, 1_728_144_000])
        let days = try ZoneRule(Array("AAA0BBB,J60/0,300/-1:30".utf8)).changes(from: 2024, to: 2024)
        #expect(days.map(\.at) == [1_709_251_200, 1_729_978_200])
        for text in ["", "E", "EET", "EET-25", "EET-2EEST,M13.1.0,M1.1.0", "EET-2EEST,M3.5.0", "EET-2EEST,M3.5.0/3,M10.5.0/4x", "<EET-2"] {
            #expect(throws: ZoneFault.self) { try ZoneRule(Array(text.utf8)) }
        }
    }

    /// Every cut, and every octet changed, of a small file.
    @Test func garbageIsRefusedOrGivesAZone() throws {
        let file = Self.file()
        #expect(try ZoneOffsets(file: file).offset(at: 5) == 3600)
        for position in file.indices {
            #expect(throws: ZoneFault.self) { try ZoneOffsets(file: Array(file[..<position])) }
            for octet: UInt8 in [0, 1, 0x7f, 0xff] {
                var bad = file
                bad[position] = octet
                guard let zone = try? ZoneOffsets(file: bad) else { continue }
                #expect(abs(zone.offset(at: 5)) <= 93_600)
            }
        }
    }

    /// One change at 0 from UTC to an hour east.
    private static func file() -> [UInt8] {
        func header(_ times: UInt8, _ types: UInt8, _ names: UInt8) -> [UInt8] {
            Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15 + 15) + [times, 0, 0, 0, types, 0, 0, 0, names]
        }
        let types: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0x0e, 0x10, 0, 4]
        return header(0, 1, 4) + [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8) + header(1, 2, 8) + [0, 0, 0, 0, 0, 0, 0, 0, 1] + types
            + Array("UTC\0CET\0".utf8) + Array("\nCET-1\n".utf8)
    }
}
