import Testing

@testable import RadiusCore

/// Conditions over what is kept of a login once it is answered.
@Suite struct LoginConditionTests {
    private static func login(
        _ user: String = "alice@home.example", station: String = "00-53-00-12-34-56", port: String = "ge-0/0/3:1042", nas: Int64 = 7,
        method: AuthenticationMethod = .chap, seconds: Int64 = RuleDesk.noon
    ) throws -> AuthEventRing.Entry {
        let ring = AuthEventRing()
        let event = AuthEvent(
            atMicroseconds: seconds * 1_000_000, tenant: 1, nas: nas, subscriber: 4, profile: 5, outcome: .accept, method: method.rawValue,
            reason: 0)
        let (user, station, port) = (Array(user.utf8), Array(station.utf8), Array(port.utf8))
        ring.push(event, userName: user.span, callingStation: station.span, nasPortID: port.span)
        var found: [AuthEventRing.Entry] = []
        _ = ring.drain(limit: 1) { found.append($0) }
        return try #require(found.first)
    }

    private static func holds(_ condition: String, _ login: AuthEventRing.Entry) throws -> Bool {
        let compiled = try LoginCondition(condition, dictionary: try ShippedDictionaries.loaded.get())
        return compiled.holds(for: login, in: try PolicyDesk().snapshot())
    }

    private static func fault(_ condition: String) throws -> String? {
        let dictionary = try ShippedDictionaries.loaded.get()
        do {
            _ = try LoginCondition(condition, dictionary: dictionary)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        "", #"User-Name == "alice@home.example""#, #"subscriber.name matches "alice@*""#, #"subscriber.realm == "home.example""#,
        #"Calling-Station-Id == "00-53-00-12-34-56""#, #"NAS-Port-Id matches "ge-0/0/3:*""#, #"nas.name == "core1""#,
        #"nas.huntgroup == "city""#, "nas.vendor == mikrotik", "login.method == chap", "time.of_day in 12:00..13:00",
        "time.weekday == sat", "time.date == 2026-01-31", "not login.method == pap and has Calling-Station-Id",
    ])
    func holds(condition: String) throws {
        #expect(try Self.holds(condition, try Self.login()))
    }

    @Test(arguments: [
        #"User-Name == "alice""#, #"subscriber.realm == "example""#, #"NAS-Port-Id == "ge-0/0/3""#, #"nas.name == "core2""#,
        "login.method in (pap, eap)", "time.weekday in mon..fri", "not has NAS-Port-Id",
    ])
    func doesNotHold(condition: String) throws {
        #expect(try !Self.holds(condition, try Self.login()))
    }

    @Test func whatWasNotSentIsAbsent() throws {
        let bare = try Self.login("", station: "", port: "")
        for name in ["User-Name", "Calling-Station-Id", "NAS-Port-Id"] { #expect(try !Self.holds("has \(name)", bare), "\(name)") }
        let longest = try Self.login(String(repeating: "a", count: 253))
        #expect(try Self.holds(#"User-Name matches "a*""#, longest) && Self.holds("has NAS-Port-Id", longest))
    }

    @Test func ofANASThatIsGoneNothingIsKnown() throws {
        let login = try Self.login(nas: 8)
        #expect(try !Self.holds(#"nas.name == "core1""#, login) && !Self.holds("has nas.huntgroup", login))
        #expect(try Self.holds("nas.vendor == generic", login))
    }

    @Test(arguments: [
        "NAS-IP-Address == 192.0.2.1", #"subscriber.profile == "home50""#, "subscriber.status == active", "subscriber.level == captive",
        "nas.address in 192.0.2.0/24", #"Mikrotik-Rate-Limit == "1M""#,
    ])
    func whatIsNotKeptIsRefused(condition: String) throws {
        let fault = try Self.fault("login.method == pap and \(condition)")
        // What stands behind `in` may be a list, so each test of it is placed at its value.
        let column = condition.hasPrefix("nas.address") ? 40 : 25
        #expect(fault?.hasPrefix("line 1, column \(column)") == true, "\(fault ?? "taken")")
        #expect(fault?.contains("not kept of a login") == true, "\(fault ?? "taken")")
    }

    @Test func mistakesAreRefusedWithTheirPlaces() throws {
        #expect(try Self.fault("User-Name = 1")?.hasPrefix("line 1, column ") == true)
        #expect(try Self.fault("login.method == pap and login.method == chap")?.contains("can never hold") == true)
        #expect(try Self.fault("User-Name == \"x\"") == nil)
    }
}
