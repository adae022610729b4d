/// Where the values come from that rules look at.
extension PolicyScratch {
    /// Reads every value that `program` asks for.
    @inline(__always)
    func fill(_ program: PolicyProgram, _ login: borrowing PolicyLogin) {
        for slot in 0..<program.slotCount { slots[slot].clear() }
        var offset = PacketHeader.count
        while offset < login.count {
            let type = login.packet[offset]
            let length = Int(login.packet[offset &+ 1])
            let head = program.heads[Int(type)]
            if head != 0 {
                if type == VendorAttribute.type {
                    readVendor(program, login.packet + offset, length, head)
                } else {
                    read(program, login.packet + (offset &+ 2), length &- 2, head)
                }
            }
            offset &+= length
        }
        for position in 0..<program.questionCount {
            answer(program.questions[position], program, login)
        }
    }

    /// Takes the value of an attribute that is the first of its number.
    private func read(_ program: PolicyProgram, _ value: UnsafePointer<UInt8>, _ count: Int, _ head: UInt8) {
        var next = head
        while next != 0 {
            let place = program.places + Int(next &- 1)
            let slot = slots + Int(place.pointee.slot)
            if !slot.pointee.isPresent { slot.pointee.load(value, count, by: place.pointee.loader) }
            next = place.pointee.next
        }
    }

    /// Looks for the members of a Vendor-Specific attribute that rules ask for; what does not parse is opaque (RFC 2865 §5.26).
    private func readVendor(_ program: PolicyProgram, _ attribute: UnsafePointer<UInt8>, _ length: Int, _ head: UInt8) {
        guard length > 6 else { return }
        let vendor = UInt32(bigEndian: UnsafeRawPointer(attribute + 2).loadUnaligned(as: UInt32.self))
        var next = head
        while next != 0 {
            let place = program.places + Int(next &- 1)
            let slot = slots + Int(place.pointee.slot)
            if place.pointee.vendor == vendor, !slot.pointee.isPresent { readMember(place, slot, attribute, length) }
            next = place.pointee.next
        }
    }

    private func readMember(
        _ place: UnsafeMutablePointer<PolicyPlace>, _ slot: UnsafeMutablePointer<PolicySlot>, _ attribute: UnsafePointer<UInt8>,
        _ length: Int
    ) {
        let (types, lengths) = (Int(place.pointee.typeOctets), Int(place.pointee.lengthOctets))
        let header = types &+ lengths &+ (place.pointee.hasContinuation ? 1 : 0)
        var offset = 6
        while length &- offset >= header {
            let type = Self.number(attribute + offset, types)
            let count = lengths == 0 ? length &- offset : Int(Self.number(attribute + (offset &+ types), lengths))
            guard count >= header, count <= length &- offset else { return }
            if type == place.pointee.member {
                slot.pointee.load(attribute + (offset &+ header), count &- header, by: place.pointee.loader)
                return
            }
            offset &+= count
        }
    }

    @inline(__always)
    private static func number(_ octets: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        var number: UInt32 = 0
        for position in 0..<count { number = number &<< 8 | UInt32(octets[position]) }
        return number
    }

    private func answer(_ question: PolicyQuestion, _ program: PolicyProgram, _ login: borrowing PolicyLogin) {
        let slot = slots + Int(question.slot)
        switch question.source {
        case .subscriberName: Self.set(slot, login.userName)
        case .subscriberRealm: Self.setRealm(slot, login.userName)
        case .subscriberProfile: Self.set(slot, login.profileName)
        case .subscriberStatus: if let status = login.status { slot.pointee.set(UInt64(status.rawValue)) }
        case .subscriberLevel: slot.pointee.set(UInt64(login.level.rawValue))
        case .nasName: Self.set(slot, login.nasName)
        case .nasHuntgroup: if !login.nasHuntgroup.isEmpty { Self.set(slot, login.nasHuntgroup) }
        case .nasVendor: slot.pointee.set(UInt64(login.nasVendor.rawValue))
        case .nasAddress: slot.pointee.set(login.nasAddress, 128)
        case .method: slot.pointee.set(UInt64(login.method.rawValue))
        case .timeOfDay: slot.pointee.set(program.zone.local(login.seconds).minuteOfDay)
        case .weekday: slot.pointee.set(program.zone.local(login.seconds).weekday)
        case .date: slot.pointee.set(program.zone.local(login.seconds).day)
        }
    }

    private static func set(_ slot: UnsafeMutablePointer<PolicySlot>, _ octets: UnsafeRawBufferPointer) {
        slot.pointee.set(octets.baseAddress?.assumingMemoryBound(to: UInt8.self), octets.count)
    }

    /// What stands behind the last `@`; absent without one.
    private static func setRealm(_ slot: UnsafeMutablePointer<PolicySlot>, _ name: UnsafeRawBufferPointer) {
        var position = name.count
        while position > 0 {
            position &-= 1
            guard name[position] == UInt8(ascii: "@") else { continue }
            set(slot, UnsafeRawBufferPointer(rebasing: name[(position &+ 1)...]))
            return
        }
    }
}
