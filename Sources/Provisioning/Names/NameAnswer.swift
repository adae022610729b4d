internal import Glibc

/// What DNS says of a name.
public enum NameAnswer: Equatable, Sendable {
    /// In the order of preference (RFC 6724), as text; never empty.
    case addresses([String])
    /// Nothing, and why, in words.
    case nothing(String)
    /// The resolver did not answer; in words.
    case unavailable(String)

    /// Asks the system's resolver, hosts file and all. Blocks for as long as that takes, seconds where a name server is silent.
    public static func lookUp(_ name: String) -> NameAnswer {
        var wish = addrinfo()
        wish.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &wish, &found)
        defer { if let found { freeaddrinfo(found) } }
        switch status {
        case 0: break
        case EAI_AGAIN, EAI_SYSTEM, EAI_MEMORY: return .unavailable("the name server does not answer")
        default: return .nothing("DNS has no address for it")
        }
        var addresses: [String] = []
        var next = found
        while let entry = next {
            if let text = text(of: entry.pointee), !addresses.contains(text) { addresses.append(text) }
            next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .nothing("DNS has no address for it that packets could come from") : .addresses(addresses)
    }

    /// Nil for what is nobody's own address everywhere: with a zone, unspecified, multicast.
    private static func text(of entry: addrinfo) -> String? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(entry.ai_addr, entry.ai_addrlen, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isUsable = !text.contains("%") && text != "0.0.0.0" && text != "::" && !text.hasPrefix("ff") && !isMulticast(text)
        return isUsable ? text : nil
    }

    private static func isMulticast(_ text: String) -> Bool {
        text.contains(".") && !text.contains(":") && text.split(separator: ".").first.flatMap { Int($0) }.map { $0 >= 224 } ?? false
    }
}
