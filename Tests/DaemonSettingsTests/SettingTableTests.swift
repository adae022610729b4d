import Testing

@testable import DaemonSettings

@Suite struct SettingTableTests {
    private static let exampleFile = #filePath.components(dropping: 3) + "/etc/lastmile.yaml"

    @Test func everyDefaultIsAValueOfItsType() {
        for key in SettingTable.keys {
            #expect(key.type.value(of: key.standard) != nil, "\(key.name)")
        }
    }

    @Test func namesAndVariablesAreUniqueAndLowerCase() {
        let names = SettingTable.keys.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Set(SettingTable.keys.map(\.environmentName)).count == names.count)
        #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "." || $0 == "_" } })
    }

    @Test func noKeyIsAGroupOfOthers() {
        for key in SettingTable.keys {
            #expect(SettingTable.names(under: key.name) == [], "\(key.name)")
        }
    }

    @Test func variablesAreNamedAfterTheirKeys() {
        let names = Dictionary(uniqueKeysWithValues: SettingTable.keys.map { ($0.name, $0.environmentName) })
        #expect(names["radius.reply_cache.bytes"] == "LASTMILE_RADIUS_REPLY_CACHE_BYTES")
        #expect(names["http.port"] == "LASTMILE_HTTP_PORT")
    }

    @Test func theShippedFileHoldsEveryKeyAtItsDefault() {
        let file = SettingsFile(path: Self.exampleFile, name: "lastmile.yaml")
        #expect(file.mistakes == [])
        #expect(Set(file.values.keys) == Set(SettingTable.keys.map(\.name)))
        for key in SettingTable.keys {
            #expect(file.values[key.name] == key.type.value(of: key.standard), "\(key.name)")
        }
    }

    @Test(arguments: SettingTable.keys.map(\.name))
    func everyKeyReachesTheSettings(name: String) throws {
        let key = try #require(SettingTable.key(named: name))
        // What it cannot be without.
        let needed = name == "radsec.dtls" ? ["LASTMILE_RADSEC_CERTIFICATE": "/server.pem"] : [:]
        let standard = try Settings.merge(nil, path: nil, environment: needed)
        let environment = needed.merging([key.environmentName: Self.another(than: key)]) { $1 }
        let changed = try Settings.merge(nil, path: nil, environment: environment)
        #expect("\(standard)" != "\(changed)")
    }

    private static func another(than key: SettingKey) -> String {
        switch key.type {
        case .port: "5"
        case .integer(let range): key.standard == String(range.lowerBound) ? String(range.upperBound) : String(range.lowerBound)
        case .choice(let words): words[0] == key.standard ? words[1] : words[0]
        case .choices(let words): words[0]
        case .path, .optionalPath: "/another/path"
        case .address: "192.0.2.1"
        case .web: "http://192.0.2.1/"
        case .networks: "127.0.0.0/8, fd00::1"
        case .database: "postgresql://192.0.2.1/lastmile"
        case .token: "a-token-of-sufficient-length"
        }
    }
}

extension String {
    /// The path without its last `count` components.
    fileprivate func components(dropping count: Int) -> String {
        split(separator: "/", omittingEmptySubsequences: false).dropLast(count).joined(separator: "/")
    }
}
