internal import COpenSSL

/// Conversations over datagrams (DTLS 1.2, RFC 6347): `receive` takes one at a time, `takeDatagram` gives one at a time, and clear text
/// comes record by record.
///
/// A server's side begins with a ClientHello whose cookie the caller has found right; for one without, nothing is made.
extension TLSConversation {
    /// Octets of a datagram of a handshake: what a link of 1,400 carries behind the headers of IPv6 and UDP. A longer one holds one long
    /// record of application data, which nobody may cut.
    static let datagramOctets = 1352
    /// The same once a flight was repeated in vain: what every link carries behind the headers of IPv4 and UDP (RFC 6347 §4.1.1.1).
    private static let shortDatagramOctets = 548

    /// Has OpenSSL count from the second ClientHello on, which is the first that it sees. No other function does.
    func listen() -> Bool {
        guard let address = BIO_ADDR_new() else { return false }
        defer { BIO_ADDR_free(address) }
        ERR_clear_error()
        return DTLSv1_listen(handle, address) == 1
    }

    /// Decrypts the next record.
    ///
    /// - Parameters:
    ///   - place: receives its octets.
    ///   - capacity: of `place`; 16,384, so that a record is never divided.
    /// - Returns: octets; nil when no more is there. What cannot be decrypted, or came before, is passed over (RFC 6347 §4.1.2.6, §4.1.2.7).
    func readRecord(into place: UnsafeMutablePointer<UInt8>, capacity: Int) -> Int? {
        guard state == .established else { return nil }
        ERR_clear_error()
        let count = SSL_read(handle, place, Int32(clamping: capacity))
        guard count > 0 else {
            settle(count)
            return nil
        }
        return Int(count)
    }

    /// Takes the next datagram for the peer into `place`, which has room for the longest record that is written here: whole records, as
    /// many as fit.
    ///
    /// - Returns: octets; 0 when none wait.
    func takeDatagram(into place: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var start: UnsafePointer<UInt8>?
        let waiting = lm_bio_contents(outgoing, &start)
        let count = Self.wholeRecords(UnsafeBufferPointer(start: start, count: waiting), limit: min(datagramLimit, place.count))
        guard count > 0 else { return 0 }
        guard count <= place.count else {
            fail(.broken("a record of \(count) octets is too long for a datagram"))
            return 0
        }
        return max(0, Int(BIO_read(outgoing, place.baseAddress, Int32(count))))
    }

    /// Octets of the records from the first on that `limit` has room for, but at least of the first.
    static func wholeRecords(_ octets: UnsafeBufferPointer<UInt8>, limit: Int) -> Int {
        let header = 13
        var end = 0
        while end + header <= octets.count {
            let next = end + header + Int(octets[end + 11]) << 8 + Int(octets[end + 12])
            guard next <= octets.count, next <= limit || end == 0 else { break }
            end = next
        }
        return end
    }

    /// Sends the last flight again when its time has come (RFC 6347 §4.2.4): after a second, then two, four and so on. To be called about
    /// once a second while the handshake lasts. From the second repetition on it goes in short datagrams: perhaps long ones do not pass.
    func repeatFlight() {
        guard state == .handshaking else { return }
        ERR_clear_error()
        let outcome = lm_ssl_handle_timeout(handle)
        if outcome < 0 { return fail(TLSFailure(of: handle)) }
        guard outcome > 0, datagramLimit > Self.shortDatagramOctets else { return }
        datagramLimit = Self.shortDatagramOctets
        lm_ssl_set_mtu(handle, datagramLimit)
    }
}
