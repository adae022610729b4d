internal import COpenSSL
internal import Synchronization

/// Revocation lists whose signature OpenSSL has found good, by the authority that signed them.
///
/// OpenSSL verifies a list's signature in every handshake, and digests the whole list for it. What it found once stays so: neither the
/// list nor the authority changes as long as the context lives. So its check runs once for each pair; afterwards only the list's times
/// are looked at, and whoever is on the list is refused by OpenSSL as before. A list with a scope of its own, a difference to another
/// list, or one with a critical extension goes all the way each time. Shared by the threads that hold conversations of one context.
final class TLSRevocationChecks: Sendable {
    private typealias Check = @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32

    private struct Good {
        /// Which list, by its place in memory: the context's store keeps it.
        let list: UInt
        /// Who signed it, an `X509 *` of ours; a peer may bring another authority of the same name.
        let issuer: UInt

        func isOf(_ other: UInt) -> Bool { X509_cmp(OpaquePointer(bitPattern: issuer), OpaquePointer(bitPattern: other)) == 0 }
    }

    /// Authorities that one may make of a key are without number; who is not among the first is checked as a whole.
    private static let limit = 64
    private let good = Mutex<[Good]>([])
    private let saved = Atomic<UInt64>(0)

    deinit { good.withLock { for good in $0 { X509_free(OpaquePointer(bitPattern: good.issuer)) } } }

    /// Checks that needed no signature to be verified.
    var savedCount: UInt64 { saved.load(ordering: .relaxed) }

    private static let index = lm_ssl_ctx_new_index()

    /// What OpenSSL does by itself; it gives it away only with a verification.
    private static let whole: Check? = {
        guard let verification = X509_STORE_CTX_new() else { return nil }
        defer { X509_STORE_CTX_free(verification) }
        guard X509_STORE_CTX_init(verification, nil, nil, nil) == 1 else { return nil }
        return X509_STORE_CTX_get_check_crl(verification)
    }()

    /// Lets OpenSSL ask this one about lists. The context of all conversations on `context`, whose store is `store`, must keep it.
    func attach(to context: OpaquePointer, store: OpaquePointer) {
        guard Self.whole != nil, SSL_CTX_set_ex_data(context, Self.index, Unmanaged.passUnretained(self).toOpaque()) == 1 else { return }
        X509_STORE_set_check_crl(store) { verification, list in
            guard let whole = TLSRevocationChecks.whole else { return 0 }
            guard let verification, let list, let checks = TLSRevocationChecks.of(verification),
                let issuer = X509_STORE_CTX_get0_current_issuer(verification), TLSRevocationChecks.isPlain(list)
            else { return whole(verification, list) }
            return checks.check(verification, list, issuer, whole)
        }
    }

    private static func of(_ verification: OpaquePointer) -> TLSRevocationChecks? {
        guard let connection = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let context = SSL_get_SSL_CTX(OpaquePointer(connection)), let checks = SSL_CTX_get_ex_data(context, index)
        else { return nil }
        return Unmanaged<TLSRevocationChecks>.fromOpaque(checks).takeUnretainedValue()
    }

    private func check(_ verification: OpaquePointer, _ list: OpaquePointer, _ issuer: OpaquePointer, _ whole: Check) -> Int32 {
        let pair = Good(list: UInt(bitPattern: list), issuer: UInt(bitPattern: issuer))
        let isKnown = good.withLock { $0.contains { $0.list == pair.list && $0.isOf(pair.issuer) } }
        if isKnown, Self.isCurrent(list) {
            saved.add(1, ordering: .relaxed)
            return 1
        }
        let result = whole(verification, list)
        if result == 1, !isKnown, X509_STORE_CTX_get_error(verification) == X509_V_OK { remember(pair) }
        return result
    }

    private func remember(_ pair: Good) {
        good.withLock { good in
            guard good.count < Self.limit, !good.contains(where: { $0.list == pair.list && $0.isOf(pair.issuer) }),
                X509_up_ref(OpaquePointer(bitPattern: pair.issuer)) == 1
            else { return }
            good.append(pair)
        }
    }

    /// Of everything that the authority issued, and with nothing that has to be understood first (RFC 5280 section 5.2).
    private static func isPlain(_ list: OpaquePointer) -> Bool {
        X509_CRL_get_ext_by_NID(list, NID_issuing_distribution_point, -1) < 0 && X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) < 0
            && X509_CRL_get_ext_by_critical(list, 1, -1) < 0
    }

    private static func isCurrent(_ list: OpaquePointer) -> Bool {
        guard let begin = X509_CRL_get0_lastUpdate(list), let end = X509_CRL_get0_nextUpdate(list) else { return false }
        return X509_cmp_current_time(begin) < 0 && X509_cmp_current_time(end) > 0
    }
}
