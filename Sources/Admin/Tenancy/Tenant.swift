internal import RadiusCore

extension Resource {
    /// A provider on this installation.
    static let tenant = Resource(
        "tenant", in: "tenancy", table: "tenancy.tenant", summary: "A provider whose data is kept apart from all others'",
        scope: .platform, nameField: "name",
        fields: [
            .text(
                "name", .required, .unique, .searchable, .octets(1...63), .form(.label),
                .summary("Chosen by X-Lastmile-Tenant; lower-case letters, digits and hyphens")),
            .text("title", .initial(""), .searchable, .octets(0...200)),
            .text(
                "time_zone", .initial("UTC"), .octets(1...64), .form(.timeZone),
                .summary("Whose days business dates are, such as Europe/Kyiv")),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "title", "time_zone"])
}

extension TextForm {
    /// What may stand as one label of a host name.
    static let label = TextForm(name: "label") { text in
        let isAllowed = text.utf8.allSatisfy { octet in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
                || octet == UInt8(ascii: "-")
        }
        return isAllowed && !text.hasPrefix("-") ? nil : "lower-case letters, digits and hyphens are possible, not a hyphen first"
    }

    /// A name of the IANA time zone database that this machine's copy has: what is not found there would count as UTC.
    static let timeZone = TextForm(name: "time-zone") { text in
        let isOfSystem = ["localtime", "posixrules"].contains(text) || text.hasPrefix("posix/") || text.hasPrefix("right/")
        if !isOfSystem, (try? ZoneOffsets.load(text)) != nil { return nil }
        return
            "a name of the IANA time zone database is expected, such as Europe/Kyiv; this machine's tzdata (\(ZoneOffsets.directory)) has "
            + "none of this name, and an older one lacks names that are new"
    }
}
