import COpenSSL

/// The arithmetic of EAP-pwd in group 19, NIST P-256 (RFC 5931 §2.8): numbers and points as octets, 32 for a number and 64 for a point.
///
/// Made for one step, since libcrypto's values are confined to one thread. What takes a secret takes the same steps whatever the secret
/// is: 40 attempts at a password element, of which each is blinded before it is looked at.
final class PWDCurve {
    static let numberCount = 32
    static let pointCount = 64
    /// RFC 5931 §2.8.3.1 leaves the number open; after so many, one password in 2^40 has no element.
    private static let attempts = 40

    private let group: OpaquePointer
    private let context: OpaquePointer
    private var prime: OpaquePointer?
    private var order: OpaquePointer?

    /// Nil without memory.
    init?() {
        guard let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1) else { return nil }
        guard let context = BN_CTX_secure_new() else {
            EC_GROUP_free(group)
            return nil
        }
        self.group = group
        self.context = context
        prime = BN_new()
        order = BN_new()
        EC_GROUP_get_curve(group, prime, nil, nil, context)
        EC_GROUP_get_order(group, order, context)
    }

    deinit {
        // A point that a peer made up leaves an error with the thread, which TLS would take for its own.
        ERR_clear_error()
        BN_free(prime)
        BN_free(order)
        BN_CTX_free(context)
        EC_GROUP_free(group)
    }

    // MARK: Password element

    /// The point that stands for a password: hunting and pecking (RFC 5931 §2.8.3.1).
    ///
    /// - Parameters:
    ///   - seed: gives 32 octets for the number of an attempt.
    ///   - value: gives as many for what `seed` gave, of which the point's first coordinate is made.
    ///   - random: 16 octets that nobody can foretell.
    /// - Returns: nil where no attempt finds one, or there is no memory.
    func passwordElement(
        seed: (UInt8) -> [UInt8], value: ([UInt8]) -> [UInt8], random: () -> Digest16
    ) -> [UInt8]? {
        var (found, coordinate, parity) = (UInt8(0), [UInt8](repeating: 0, count: Self.numberCount), UInt8(0))
        for attempt in 1...Self.attempts {
            let seed = seed(UInt8(attempt))
            let candidate = value(seed)
            let isOn: UInt8 = isOnCurve(candidate, random: random) ? 0xff : 0
            let takes = isOn & ~found
            for place in coordinate.indices { coordinate[place] = coordinate[place] & ~takes | candidate[place] & takes }
            parity = parity & ~takes | seed[seed.count - 1] & 1 & takes
            found |= isOn
        }
        return found == 0 ? nil : point(coordinate, parity: parity)
    }

    /// Whether some point has this first coordinate. What is looked at is a random multiple of the curve's equation, whose sign is turned
    /// at random too.
    private func isOnCurve(_ candidate: [UInt8], random: () -> Digest16) -> Bool {
        let numbers = Numbers()
        guard let prime, let x = numbers.number(candidate), BN_cmp(x, prime) < 0, let square = equation(x, numbers),
            let blind = numbers.number(Self.octets(random) + Self.octets(random)), let exponent = numbers.number(),
            let sign = numbers.number()
        else { return false }
        // p = 3 (mod 4): -1 is no square.
        let turns = Self.octets(random)[0] & 1 == 1
        guard BN_add_word(blind, 1) == 1, BN_mod_sqr(blind, blind, prime, context) == 1,
            BN_mod_mul(square, square, blind, prime, context) == 1, BN_sub(sign, prime, square) == 1,
            BN_copy(exponent, prime) != nil, BN_sub_word(exponent, 1) == 1, BN_rshift1(exponent, exponent) == 1
        else { return false }
        BN_set_flags(exponent, BN_FLG_CONSTTIME)
        guard let power = numbers.number(), BN_mod_exp(power, turns ? sign : square, exponent, prime, context) == 1 else { return false }
        return (BN_is_one(power) == 1) != turns
    }

    /// x^3 + ax + b.
    private func equation(_ x: OpaquePointer, _ numbers: Numbers) -> OpaquePointer? {
        guard let a = numbers.number(), let b = numbers.number(), let result = numbers.number(),
            EC_GROUP_get_curve(group, nil, a, b, context) == 1, BN_mod_sqr(result, x, prime, context) == 1,
            BN_mod_add(result, result, a, prime, context) == 1, BN_mod_mul(result, result, x, prime, context) == 1,
            BN_mod_add(result, result, b, prime, context) == 1
        else { return nil }
        return result
    }

    private func point(_ coordinate: [UInt8], parity: UInt8) -> [UInt8]? {
        let numbers = Numbers()
        guard let point = EC_POINT_new(group) else { return nil }
        defer { EC_POINT_clear_free(point) }
        guard let x = numbers.number(coordinate),
            EC_POINT_set_compressed_coordinates(group, point, x, Int32(parity), context) == 1
        else { return nil }
        return octets(of: point, numbers)
    }

    // MARK: Exchange

    /// Draws the own side of an exchange (RFC 5931 §2.8.4.1).
    ///
    /// - Returns: what stays secret, and what is said; nil where the numbers drawn are of no use.
    func commitment(
        element: [UInt8], random: () -> Digest16
    ) -> (secret: [UInt8], scalar: [UInt8], element: [UInt8])? {
        let numbers = Numbers()
        guard let secret = below(random, numbers), let mask = below(random, numbers), let scalar = numbers.number(),
            let point = load(element), let result = EC_POINT_new(group)
        else { return nil }
        defer {
            EC_POINT_clear_free(point)
            EC_POINT_clear_free(result)
        }
        guard BN_mod_add(scalar, secret, mask, order, context) == 1, BN_is_zero(scalar) == 0, BN_is_one(scalar) == 0,
            EC_POINT_mul(group, result, nil, point, mask, context) == 1, EC_POINT_invert(group, result, context) == 1,
            let said = octets(of: result, numbers)
        else { return nil }
        return (Self.octets(of: secret), Self.octets(of: scalar), said)
    }

    /// The secret that both sides have in common: the first coordinate of `secret * (scalar * password element + element)`.
    ///
    /// - Returns: nil when the peer's numbers are none that it may send.
    func sharedKey(secret: [UInt8], passwordElement: [UInt8], scalar: [UInt8], element: [UInt8]) -> [UInt8]? {
        let numbers = Numbers()
        guard let own = numbers.number(secret), let factor = numbers.number(scalar), let order, BN_cmp(factor, order) < 0,
            BN_is_zero(factor) == 0, BN_is_one(factor) == 0, let said = load(element)
        else { return nil }
        defer { EC_POINT_clear_free(said) }
        guard let point = load(passwordElement), let result = EC_POINT_new(group) else { return nil }
        defer {
            EC_POINT_clear_free(point)
            EC_POINT_clear_free(result)
        }
        guard EC_POINT_mul(group, result, nil, point, factor, context) == 1,
            EC_POINT_add(group, result, result, said, context) == 1, EC_POINT_mul(group, result, nil, result, own, context) == 1,
            EC_POINT_is_at_infinity(group, result) == 0
        else { return nil }
        return octets(of: result, numbers).map { Array($0.prefix(Self.numberCount)) }
    }

    /// A point of its two coordinates; nil when it is not on the curve. To be freed.
    private func load(_ octets: [UInt8]) -> OpaquePointer? {
        let numbers = Numbers()
        guard octets.count == Self.pointCount, let prime, let x = numbers.number(Array(octets.prefix(Self.numberCount))),
            let y = numbers.number(Array(octets.suffix(Self.numberCount))), BN_cmp(x, prime) < 0, BN_cmp(y, prime) < 0,
            let point = EC_POINT_new(group)
        else { return nil }
        guard EC_POINT_set_affine_coordinates(group, point, x, y, context) == 1 else {
            EC_POINT_clear_free(point)
            return nil
        }
        return point
    }

    /// A number from 1 to the order less one: of 48 octets, so that none is likelier than another.
    private func below(_ random: () -> Digest16, _ numbers: Numbers) -> OpaquePointer? {
        guard let drawn = numbers.number((0..<3).flatMap { _ in Self.octets(random) }), let result = numbers.number(),
            BN_nnmod(result, drawn, order, context) == 1, BN_is_zero(result) == 0
        else { return nil }
        BN_set_flags(result, BN_FLG_CONSTTIME)
        return result
    }

    private func octets(of point: OpaquePointer, _ numbers: Numbers) -> [UInt8]? {
        guard let x = numbers.number(), let y = numbers.number(),
            EC_POINT_get_affine_coordinates(group, point, x, y, context) == 1
        else { return nil }
        return Self.octets(of: x) + Self.octets(of: y)
    }

    private static func octets(of number: OpaquePointer) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: numberCount)
        BN_bn2binpad(number, &octets, Int32(octets.count))
        return octets
    }

    private static func octets(_ random: () -> Digest16) -> [UInt8] {
        let drawn = random()
        return drawn.indices.map { drawn[$0] }
    }
}

/// Numbers of libcrypto that are wiped together.
private final class Numbers {
    private var owned: [OpaquePointer] = []

    deinit { for number in owned { BN_clear_free(number) } }

    /// Zero, or what `octets` say.
    func number(_ octets: [UInt8] = []) -> OpaquePointer? {
        guard let number = BN_secure_new() ?? BN_new() else { return nil }
        owned.append(number)
        guard octets.isEmpty || BN_bin2bn(octets, Int32(octets.count), number) != nil else { return nil }
        return number
    }
}
