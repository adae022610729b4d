/// Which modules a folder's sources may import; the layers of CONTRIBUTING.md.
enum ImportRule {
    private static let own: Set<String> = [
        "Admin", "CCurl", "CLinux", "CNetSNMP", "COpenSSL", "CPasswordHash", "CPostgres", "CYAML", "Certificates", "Database",
        "DaemonSettings", "FreeRADIUSImport", "Provisioning", "RadiusCore", "Support", "lastmile", "lastmiled",
    ]

    /// The whole list of what may be imported.
    private static let onlyThese: [String: Set<String>] = [
        "Sources/RadiusCore": ["CLinux", "COpenSSL", "CPasswordHash", "Glibc", "Synchronization"],
        "Sources/Certificates": ["COpenSSL", "Glibc", "RadiusCore"],
        "Sources/Database": ["CLinux", "CPostgres", "FoundationEssentials", "Glibc", "Logging", "Synchronization"],
        "Sources/DaemonSettings": ["CYAML", "Glibc"],
        "Sources/FreeRADIUSImport": ["RadiusCore"],
    ]

    /// Of our own modules, the ones that may be imported; anything of others but Foundation goes.
    private static let ofOurs: [String: Set<String>] = [
        "Sources/Provisioning": ["CCurl", "CNetSNMP", "Database", "RadiusCore"],
        "Sources/Admin": ["Database", "Provisioning", "RadiusCore"],
        "Sources/lastmiled": ["Admin", "CLinux", "Certificates", "DaemonSettings", "Database", "Provisioning", "RadiusCore"],
        "Sources/lastmile": ["CCurl", "CLinux", "Certificates", "FreeRADIUSImport", "RadiusCore"],
    ]

    /// The imports that `file` must not have, each with a reason.
    static func violations(in file: TextFile) -> [String] {
        guard file.isSwift else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard let module = module(importedBy: line), let reason = reason(against: module, in: file) else { return nil }
            return "\(file.path):\(index + 1): imports \(module); \(reason)"
        }
    }

    private static func reason(against module: String, in file: TextFile) -> String? {
        // Signals come through Dispatch, as the service group's do: two ways to take them would take them from each other.
        if module == "Dispatch", file.path == "Sources/lastmiled/Services/StopWatch.swift" { return nil }
        if ["Foundation", "FoundationNetworking", "Dispatch"].contains(module) { return "FoundationEssentials is the most there is" }
        let folder = file.path.split(separator: "/").prefix(2).joined(separator: "/")
        if let allowed = onlyThese[folder], !allowed.contains(module) {
            return "\(folder) may import only \(allowed.sorted().joined(separator: ", "))"
        }
        if let allowed = ofOurs[folder], own.contains(module), !allowed.contains(module) {
            return "of our modules \(folder) may import only \(allowed.sorted().joined(separator: ", "))"
        }
        return nil
    }

    /// `@testable internal import struct Module.Name` imports Module.
    private static func module(importedBy line: Substring) -> String? {
        let words = line.split(separator: " ")
        guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy(isModifier) else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return words[(keyword + 1)...].first { !kinds.contains($0) }?.split(separator: ".").first.map(String.init)
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
}
