import RadiusCore

/// Makes NASes out of rows of `nas` and client sections.
struct ClientMaker {
    private(set) var records: [ImportedNAS] = []
    private(set) var remarks: [Remark] = []
    private let chosen: NASVendor?
    private let sole: NASVendor?
    /// The first of each address, network and host name.
    private var firsts: [String: SourceClient] = [:]
    private var names: Set<String> = []

    /// Of those whose type says nothing: the make that the operator chose, else the sole one that the source has rates of.
    init(chosen: NASVendor?, sole: NASVendor?) { (self.chosen, self.sole) = (chosen, sole) }

    private mutating func add(_ level: Remark.Level, _ client: SourceClient, _ what: String, _ why: String, _ advice: String = "") {
        remarks.append(Remark(level, client.place, client.name.isEmpty ? client.address : client.name, what, why, advice))
    }

    mutating func carry(_ client: SourceClient) {
        // Its secret is the one that the RFC makes public, which must not let anybody in by UDP.
        if client.others.contains(where: { $0.name == "proto" && $0.value.lowercased() == "tls" }) {
            return add(
                .skipped, client, "proto tls", "a client of RadSec proves itself by its certificate, which stands elsewhere",
                "lastmile nas create --name NAME --address \(client.address) --tls-identity ... --secret ... with a secret of its own.")
        }
        let network = Address.network(client.address)
        guard network != nil || Address.isHostName(client.address) else {
            return add(.skipped, client, "address \(client.address)", "it is neither an address, a network nor a host name")
        }
        guard (1...128).contains(client.secret.utf8.count), !client.secret.unicodeScalars.contains(where: Self.isControl) else {
            return add(
                .skipped, client, "secret", "a secret has 1 to 128 octets without control characters", "Give it one, here and on the NAS.")
        }
        let location = network ?? client.address
        if let other = firsts[location.lowercased()] { return merge(client, other, location) }
        firsts[location.lowercased()] = client
        if let network {
            remark(network, client)
        } else {
            add(
                .note, client, "address \(client.address)", "the daemon looks this name up in DNS",
                "See `lastmile nas list` for what it found.")
        }
        if client.secret.utf8.count < 8 {
            add(.note, client, "secret", "it is shorter than 8 octets", "Choose 16 random characters or more.")
        }
        let stated = Self.stated(client)
        if stated == nil { remarkMake(client) }
        var record = ImportedNAS(
            name: Self.name(client, location), address: network ?? "", dnsName: network == nil ? client.address : nil,
            secret: client.secret, vendor: stated ?? chosen ?? sole ?? .generic, isVendorGuessed: stated == nil && chosen == nil,
            requireMessageAuthenticator: choice(client, "require_message_authenticator", client.requireMessageAuthenticator),
            limitProxyState: choice(client, "limit_proxy_state", client.limitProxyState),
            notes: client.description == "RADIUS Client" ? "" : Self.plain(client.description), place: client.place)
        if !names.insert(record.name).inserted {
            add(.note, client, "name \(record.name)", "another NAS has it; it becomes \(record.furtherName)")
            record.name = record.furtherName
            names.insert(record.name)
        }
        records.append(record)
        for other in client.others { remark(other, client) }
    }

    /// FreeRADIUS knows a client of UDP and one of TCP at one address; a NAS here is both, with one secret.
    private mutating func merge(_ client: SourceClient, _ other: SourceClient, _ location: String) {
        guard Self.transport(client) != Self.transport(other) else {
            return add(.skipped, client, "address \(location)", "\(other.place) has the same")
        }
        guard client.secret == other.secret else {
            return add(
                .skipped, client, "address \(location)",
                "\(other.place) has the same with another secret and proto, and a NAS has one secret",
                "Give both one secret, here and on the NAS; for TCP set `radius.tcp: yes` in the daemon's settings, too.")
        }
        add(.note, client, "address \(location)", "\(other.place) has the same with another proto; one NAS stands for both")
        let settings = [
            ("type", client.type, other.type), ("limit_proxy_state", client.limitProxyState, other.limitProxyState),
            ("require_message_authenticator", client.requireMessageAuthenticator, other.requireMessageAuthenticator),
        ]
        for (name, own, kept) in settings where !own.isEmpty && own.lowercased() != kept.lowercased() {
            add(.lost, client, "\(name) \(own)", "\(other.place) says otherwise, or nothing", "Set on the NAS what shall hold for both.")
        }
        for setting in client.others { remark(setting, client) }
    }

    /// `udp`, which is the default, or what proto says.
    private static func transport(_ client: SourceClient) -> String {
        client.others.last { $0.name == "proto" }?.value.lowercased() ?? "udp"
    }

    private mutating func remark(_ network: String, _ client: SourceClient) {
        if Self.cleared(client.address, network) {
            add(.note, client, "address \(client.address)", "bits beyond its length were cleared: \(network)")
        }
        if network.hasSuffix("/0") {
            add(
                .note, client, "address \(network)", "every address is a client, and this one secret lets each of them ask",
                "Make the networks that your NASes are in NASes of their own, and delete this one.")
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) }

    private static func plain(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.filter { !isControl($0) })) }

    private static func cleared(_ given: String, _ canonical: String) -> Bool {
        let host = given.split(separator: "/").first.flatMap { Address.network(String($0)) }?.split(separator: "/").first
        return given.contains("/") && host != canonical.split(separator: "/").first
    }

    /// Its own name, else where it is.
    private static func name(_ client: SourceClient, _ location: String) -> String {
        var name = String(plain(client.name).drop(while: \.isWhitespace))
        while name.utf8.count > 64 || name.last?.isWhitespace == true { name.removeLast() }
        return name.isEmpty ? String(location.prefix(64)) : name
    }

    /// The make that the source says; nil where it says none that is known.
    private static func stated(_ client: SourceClient) -> NASVendor? {
        NASVendor(name: client.type.lowercased()).flatMap { $0 == .generic ? nil : $0 }
    }

    private mutating func remarkMake(_ client: SourceClient) {
        let word = client.type.lowercased()
        let type = "type \(client.type.isEmpty ? "(none)" : client.type)"
        if !word.isEmpty, word != "other" {
            add(
                .note, client, "type \(client.type)", "no make of this name is known; see --nas-vendor",
                "lastmile nas update NAME --vendor ...")
        } else if let chosen {
            add(.note, client, type, "taken as \(chosen.name), as --nas-vendor says")
        } else if let sole {
            add(.note, client, type, "taken as \(sole.name), whose rates the source has")
        } else {
            add(
                .note, client, type,
                "its make is unknown, so it gets WISPr's rate attributes",
                "Say which it is: `lastmile nas update NAME --vendor ...`, or import with --nas-vendor.")
        }
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
        case "proto" where ["tcp", "*"].contains(other.value.lowercased()):
            add(
                .note, client, "proto \(other.value)", "RADIUS over TCP is there for all clients or for none",
                "Set `radius.tcp: yes` in the daemon's settings; see docs/radsec.md.")
        case "proto" where other.value.lowercased() == "udp": break
        case "proto":
            add(
                .lost, client, other.value.isEmpty ? "proto (empty)" : "proto \(other.value)",
                "FreeRADIUS knows udp, tcp, tls and *, and does not start with another; it is taken as udp",
                "See how the NAS asks: for TCP set `radius.tcp: yes` in the daemon's settings, for TLS see docs/radsec.md.")
        case "ports", "login", "password", "response_window": add(.note, client, other.name, "it has no meaning here")
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
