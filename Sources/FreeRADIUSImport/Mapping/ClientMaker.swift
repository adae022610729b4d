import RadiusCore

/// Makes NASes out of rows of `nas` and client sections.
struct ClientMaker {
    private(set) var records: [ImportedNAS] = []
    private(set) var remarks: [Remark] = []
    private let vendor: NASVendor?
    private var addresses: [String: Place] = [:]
    private var names: Set<String> = []

    /// `vendor`: of those whose type says nothing.
    init(vendor: NASVendor?) { self.vendor = vendor }

    private mutating func add(_ level: Remark.Level, _ client: SourceClient, _ what: String, _ why: String, _ advice: String = "") {
        remarks.append(Remark(level, client.place, client.name.isEmpty ? client.address : client.name, what, why, advice))
    }

    mutating func carry(_ client: SourceClient) {
        guard let address = Address.network(client.address) else {
            return add(
                .skipped, client, "address \(client.address)", "it is neither an address nor a network",
                "For a name of DNS: lastmile nas create --dns-name \(client.address) ...")
        }
        guard (1...128).contains(client.secret.utf8.count), !client.secret.unicodeScalars.contains(where: Self.isControl) else {
            return add(
                .skipped, client, "secret", "a secret has 1 to 128 octets without control characters", "Give it one, here and on the NAS.")
        }
        if let other = addresses[address] {
            return add(.skipped, client, "address \(address)", "\(other) has the same")
        }
        addresses[address] = client.place
        if Self.cleared(client.address, address) {
            add(.note, client, "address \(client.address)", "bits beyond its length were cleared: \(address)")
        }
        if client.secret.utf8.count < 8 {
            add(.note, client, "secret", "it is shorter than 8 octets", "Choose 16 random characters or more.")
        }
        let name = self.name(client, address)
        records.append(
            ImportedNAS(
                name: name, address: address, secret: client.secret, vendor: make(client),
                requireMessageAuthenticator: choice(client, "require_message_authenticator", client.requireMessageAuthenticator),
                limitProxyState: choice(client, "limit_proxy_state", client.limitProxyState),
                notes: client.description == "RADIUS Client" ? "" : Self.plain(client.description), place: client.place))
        for other in client.others { remark(other, client) }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) }

    private static func plain(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.filter { !isControl($0) })) }

    private static func cleared(_ given: String, _ canonical: String) -> Bool {
        let host = given.split(separator: "/").first.flatMap { Address.network(String($0)) }?.split(separator: "/").first
        return given.contains("/") && host != canonical.split(separator: "/").first
    }

    /// Its own name; with its address behind it where that is taken.
    private mutating func name(_ client: SourceClient, _ address: String) -> String {
        var name = Self.plain(client.name)
        while name.utf8.count > 64 { name.removeLast() }
        if name.isEmpty { name = address }
        if !names.insert(name).inserted {
            let further = name.utf8.count > 20 ? address : "\(name) \(address)"
            add(.note, client, "name \(name)", "another NAS has it; it becomes \(further)")
            names.insert(further)
            name = further
        }
        return name
    }

    private mutating func make(_ client: SourceClient) -> NASVendor {
        let word = client.type.lowercased()
        if let vendor = NASVendor(name: word), vendor != .generic { return vendor }
        if !word.isEmpty, word != "other" {
            add(
                .note, client, "type \(client.type)", "no make of this name is known; see --nas-vendor",
                "lastmile nas update NAME --vendor ...")
        } else if let vendor {
            add(
                .note, client, "type \(client.type.isEmpty ? "(none)" : client.type)", "taken as \(vendor.name), whose rates the source has"
            )
        } else {
            add(
                .note, client, "type \(client.type.isEmpty ? "(none)" : client.type)",
                "its make is unknown, so it gets WISPr's rate attributes",
                "Say which it is: `lastmile nas update NAME --vendor ...`, or import with --nas-vendor.")
        }
        return vendor ?? .generic
    }

    private mutating func choice(_ client: SourceClient, _ what: String, _ word: String) -> String? {
        switch word.lowercased() {
        case "": return nil
        case "yes", "true", "1", "on": return "yes"
        case "no", "false", "0", "off": return "no"
        case "auto": return "auto"
        default:
            add(.lost, client, "\(what) \(word)", "yes, no and auto are possible")
            return nil
        }
    }

    private mutating func remark(_ other: SourceClient.Other, _ client: SourceClient) {
        switch other.name {
        case "ports", "proto", "login", "password", "response_window": add(.note, client, other.name, "it has no meaning here")
        case "community": add(.note, client, other.name, "the SNMP community is not used; sessions are known by accounting")
        case "server", "virtual_server":
            add(
                .lost, client, "\(other.name) \(other.value)", "there are no virtual servers",
                "Policy rules can ask for nas.name and nas.huntgroup; see docs/policy.md.")
        case "coa_server": add(.lost, client, "coa_server \(other.value)", "CoA goes to the NAS itself", "Set coa_address and coa_port.")
        default: add(.note, client, other.name, "it has no meaning here")
        }
    }
}
