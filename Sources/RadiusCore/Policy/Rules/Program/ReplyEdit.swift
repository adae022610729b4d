/// A change to the attributes of a reply.
enum ReplyEdit: Hashable, Sendable {
    case remove(ReplyTarget)
    /// Attributes in wire form.
    case append([UInt8])
}

/// Which attributes of a reply are meant: all of one number, or all of one vendor's number.
struct ReplyTarget: Hashable, Sendable, BitwiseCopyable {
    let number: UInt8
    /// 0 for a standard attribute.
    let vendor: UInt32
    let member: UInt32
    let typeOctets: UInt8

    /// - Throws: why `name`, perhaps with a tag, cannot be taken out of a reply.
    init(_ name: String, _ dictionary: RadiusDictionary) throws(RuleFault) {
        let plain = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? name
        guard let definition = dictionary.attribute(named: name) ?? dictionary.attribute(named: plain) else {
            let near = AttributeSuggestion.nearest(to: plain, in: dictionary).map { "; did you mean \($0)?" } ?? ""
            throw RuleFault("\(OctetText.printable(name, limit: 60)): no dictionary has this attribute\(near)")
        }
        let path = definition.path
        guard path.numbers.count == 1, !definition.isVirtual, path.base == 0 || path.base == 26 else {
            throw RuleFault("\(definition.name): rules replace and remove standard attributes and vendors' attributes, not parts of TLVs")
        }
        guard path.base == 26 else {
            number = UInt8(truncatingIfNeeded: path.numbers[0])
            (vendor, member, typeOctets) = (0, 0, 0)
            guard let refusal = ReservedAttribute.refusal(of: [number, 2]) else { return }
            throw RuleFault("\(definition.name): \(refusal.reason)", wasTaken: refusal.wasTaken)
        }
        number = VendorAttribute.type
        (vendor, member) = (path.vendor, path.numbers[0])
        typeOctets = dictionary.vendor(path.vendor)?.format.typeOctets ?? 1
    }

    /// Whether the attribute at `start` is meant. A vendor's is known by the first member, as the server writes one to each attribute.
    func isMeant(_ start: UnsafePointer<UInt8>, count: Int) -> Bool {
        guard start[0] == number else { return false }
        guard vendor != 0 else { return true }
        let octets = Int(typeOctets)
        guard count >= 6 &+ octets, UInt32(bigEndian: UnsafeRawPointer(start + 2).loadUnaligned(as: UInt32.self)) == vendor else {
            return false
        }
        var found: UInt32 = 0
        for position in 0..<octets { found = found << 8 | UInt32(start[6 &+ position]) }
        return found == member
    }
}
