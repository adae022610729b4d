import RadiusCore

/// What a simulated NAS says of itself and its sessions.
extension SimulatedNAS {
    /// The packet of a queued request; nil when it cannot be made.
    func request(_ next: Queued, identifier: UInt8, now: Int) -> (ClientPacket, SimulatedSession.Record?)? {
        let session = sessions[next.session]
        switch next.action {
        case .authenticate:
            var attributes = place(of: session)
            attributes.replace(with: plan.attributes)
            let packet = try? ClientPacket.access(
                identifier: identifier, userName: session.userName, credential: plan.credential, attributes: attributes.octets,
                secret: plan.secret)
            return packet.map { ($0, nil) }
        case .account(let record):
            let packet = try? ClientPacket.accounting(
                identifier: identifier, attributes: accounting(record, session), secret: plan.secret)
            return packet.map { ($0, record) }
        }
    }

    /// NAS and port of a session, as logins and accounting carry them.
    private func place(of session: SimulatedSession) -> AttributeOctets {
        var attributes = AttributeOctets()
        attributes.append(AttributeNumber.nasIdentifier, plan.name.utf8)
        if let address = plan.address {
            attributes.append(AttributeNumber.nasIPAddress, address, orIPv6: AttributeNumber.nasIPv6Address)
        }
        attributes.append(AttributeNumber.nasPort, UInt32(truncatingIfNeeded: session.number))
        attributes.append(AttributeNumber.nasPortID, portID(session).utf8)
        // Ethernet (RFC 2865 §5.41), Framed (§5.6), PPP (§5.7).
        attributes.append(AttributeNumber.nasPortType, 15)
        attributes.append(AttributeNumber.serviceType, 2)
        attributes.append(AttributeNumber.framedProtocol, 1)
        attributes.append(AttributeNumber.callingStationID, session.callingStationID.utf8)
        attributes.append(AttributeNumber.acctSessionID, session.sessionID.utf8)
        return attributes
    }

    private func portID(_ session: SimulatedSession) -> String { "sim\(session.number)" }

    private func accounting(_ record: SimulatedSession.Record, _ session: SimulatedSession) -> [UInt8] {
        var attributes = AttributeOctets()
        attributes.append(AttributeNumber.acctStatusType, record.status.rawValue)
        attributes.append(AttributeNumber.userName, session.userName)
        attributes.append(encoded: place(of: session).octets)
        attributes.append(AttributeNumber.framedIPAddress, session.framedIPv4)
        for value in session.classes { attributes.append(AttributeNumber.classAttribute, value) }
        attributes.append(AttributeNumber.acctAuthentic, 1)
        attributes.append(AttributeNumber.eventTimestamp, Clock.wall())
        if record.status != .start {
            attributes.append(AttributeNumber.acctSessionTime, record.seconds)
            attributes.append(AttributeNumber.acctInputOctets, UInt32(truncatingIfNeeded: record.inputOctets))
            attributes.append(AttributeNumber.acctInputGigawords, UInt32(truncatingIfNeeded: record.inputOctets >> 32))
            attributes.append(AttributeNumber.acctOutputOctets, UInt32(truncatingIfNeeded: record.outputOctets))
            attributes.append(AttributeNumber.acctOutputGigawords, UInt32(truncatingIfNeeded: record.outputOctets >> 32))
        }
        if let cause = record.cause { attributes.append(AttributeNumber.acctTerminateCause, cause) }
        attributes.replace(with: plan.attributes)
        return attributes.octets
    }

    /// What a CoA or Disconnect request can name the session by.
    func identity(_ session: SimulatedSession) -> SessionIdentity {
        var identity = nasIdentity
        identity.userName = String(decoding: session.userName, as: UTF8.self)
        identity.acctSessionID = given(AttributeNumber.acctSessionID) ?? session.sessionID
        identity.callingStationID = given(AttributeNumber.callingStationID) ?? session.callingStationID
        identity.nasPortID = given(AttributeNumber.nasPortID) ?? portID(session)
        identity.framedIPv4 = AttributeOctets.number(AttributeNumber.framedIPAddress, in: plan.attributes) ?? session.framedIPv4
        return identity
    }

    /// What a CoA or Disconnect request can name the NAS by.
    var nasIdentity: SessionIdentity {
        let ipv4 = AttributeOctets.number(AttributeNumber.nasIPAddress, in: plan.attributes).map { IPAddress(ipv4: $0) }
        let ipv6 = AttributeOctets.values(AttributeNumber.nasIPv6Address, in: plan.attributes).first { $0.count == 16 }
            .map { $0.withUnsafeBytes { IPAddress(octets: $0) } }
        return SessionIdentity(nasIdentifier: given(AttributeNumber.nasIdentifier) ?? plan.name, nasAddress: ipv4 ?? ipv6 ?? plan.address)
    }

    /// The text of an attribute that stands in place of its own.
    private func given(_ number: UInt8) -> String? {
        AttributeOctets.values(number, in: plan.attributes).first.map { String(decoding: $0, as: UTF8.self) }
    }
}
