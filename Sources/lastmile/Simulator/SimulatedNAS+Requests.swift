import RadiusCore

/// What a simulated NAS says of itself and its sessions.
extension SimulatedNAS {
    /// The packet of a queued request; nil when it cannot be made.
    func request(_ next: Queued, identifier: UInt8, now: Int) -> (ClientPacket, SimulatedSession.Record?)? {
        let session = sessions[next.session]
        switch next.action {
        case .authenticate:
            let packet = try? ClientPacket.access(
                identifier: identifier, userName: session.userName, credential: plan.credential, attributes: place(of: session).octets,
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
        attributes.replace(with: plan.attributes)
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
        return attributes.octets
    }

    /// What a CoA or Disconnect request can name the session by.
    func identity(_ session: SimulatedSession) -> SessionIdentity {
        func text(_ number: UInt8, _ own: String) -> String {
            AttributeOctets.values(number, in: plan.attributes).first.map { String(decoding: $0, as: UTF8.self) } ?? own
        }
        return SessionIdentity(
            userName: String(decoding: session.userName, as: UTF8.self),
            acctSessionID: text(AttributeNumber.acctSessionID, session.sessionID),
            callingStationID: text(AttributeNumber.callingStationID, session.callingStationID),
            nasPortID: text(AttributeNumber.nasPortID, portID(session)), nasIdentifier: text(AttributeNumber.nasIdentifier, plan.name),
            nasAddress: plan.address, framedIPv4: session.framedIPv4)
    }
}
