/// What crosses between a home server's request and the NAS's, and back.
extension RelayedRequest {
    /// Attributes of the request, encoded, that stand behind those by which we name the session to its NAS.
    ///
    /// What names session and NAS is left out, since the NAS has other names for them, and what is for one hop alone. The rest passes by
    /// the realm's filter for replies, with what that sets in place of what a CoA-Request would change; hidden values are hidden anew, and
    /// both sides take sixteen zeros for the authenticator, as the request's own covers them.
    ///
    /// - Parameters:
    ///   - realm: whose session it is.
    ///   - dictionary: knows which vendors' values are hidden.
    ///   - secret: the NAS's.
    /// - Returns: the attributes in their order.
    /// - Throws: `hiddenValue`.
    public func attributes(
        through realm: Realm, _ dictionary: RadiusDictionary, to secret: SharedSecret
    ) throws(CoARequestError) -> [UInt8] {
        let packet = [kind.code.rawValue] + [UInt8](repeating: 0, count: PacketHeader.count - 1) + request.attributes
        let zeros = Digest16(repeating: 0)
        var salt = UInt16.random(in: 0...UInt16.max)
        let crossing: [UInt8]
        do throws(ProxyFault) {
            crossing = try ReturnedReply.attributes(
                of: packet.span, realm.replyFilter, dictionary, from: Hop(servers[0].secret, zeros), to: Hop(secret, zeros), salt: &salt)
        } catch {
            throw .hiddenValue
        }
        var run = AttributeRun()
        var cursor = AttributeCursor(0..<crossing.count)
        while let member = cursor.next(in: crossing.span) {
            let type = UInt8(truncatingIfNeeded: member.type)
            // What the NAS is called nearer to it, its session knows, or nobody.
            if Self.notCrossing.contains(type) || OperatorNASIdentifiers.isMeant(member, in: crossing.span) { continue }
            run.append(type, Array(crossing[member.range]))
        }
        return run.octets
    }

    /// What the home server is told of an ACK's `attributes`: what the realm lets pass of requests, without what is for one hop alone.
    public func answer(_ attributes: [UInt8], through realm: Realm, _ dictionary: RadiusDictionary) -> [UInt8] {
        let passage = VendorPassage(filter: realm.requestFilter, dictionary: dictionary, hops: nil)
        var run = AttributeRun()
        var salt: UInt16 = 0
        var cursor = AttributeCursor(0..<attributes.count)
        while let member = cursor.next(in: attributes.span) {
            let type = UInt8(truncatingIfNeeded: member.type)
            if type == AttributeNumber.messageAuthenticator || type == AttributeNumber.proxyState { continue }
            if type == VendorAttribute.type {
                if let passed = try? passage.pass(member.range, of: attributes.span, salt: &salt) { run.append(type, passed) }
            } else if realm.requestFilter.passes(type) {
                run.append(type, Array(attributes[member.range]))
            }
        }
        return run.octets
    }

    /// What names the session or its NAS, for which `SessionIdentity` has the NAS's own words; what is made anew on each hop; what RFC 5176
    /// §3.6 keeps out of requests.
    private static let notCrossing: Set<UInt8> = [
        AttributeNumber.userName, AttributeNumber.nasIPAddress, AttributeNumber.nasIPv6Address, AttributeNumber.nasIdentifier,
        AttributeNumber.framedIPAddress, AttributeNumber.callingStationID, AttributeNumber.acctSessionID, AttributeNumber.nasPortID,
        AttributeNumber.operatorName, AttributeNumber.eventTimestamp, AttributeNumber.userPassword, AttributeNumber.chapPassword,
        AttributeNumber.acctTerminateCause, AttributeNumber.eapMessage, AttributeNumber.errorCause,
    ]
}
