import Testing

@testable import RadiusCore

@Suite struct BoundOctetsTests {
    @Test func textLosesWhatStandsAroundIt() {
        #expect(BoundOctets.trimmed(Array(" \0bng1 eth 0/1/3:100 \r\n\0".utf8), .circuit) == Array("bng1 eth 0/1/3:100".utf8))
        #expect(BoundOctets.trimmed(Array(" \t\0".utf8), .port).isEmpty)
        #expect(BoundOctets.trimmed([], .circuit).isEmpty)
    }

    /// What a DHCP relay inserts by its own format begins and ends with zeros that mean something.
    @Test func binaryStaysAsItIs() {
        let relay: [UInt8] = [0, 4, 0, 0x64, 1, 0]
        #expect(BoundOctets.trimmed(relay, .circuit) == relay)
        #expect(BoundOctets.trimmed([0x20, 0x7f, 0x20], .circuit) == [0x20, 0x7f, 0x20])
        #expect(BoundOctets.trimmed([0, 0x53, 0xff, 0], .remote) == [0, 0x53, 0xff, 0])
    }

    @Test func theHeaderOfTheSubOptionGoes() {
        let circuit = [UInt8](arrayLiteral: 1, 6) + Array("port-7".utf8)
        #expect(BoundOctets.trimmed(circuit, .circuit) == Array("port-7".utf8))
        #expect(BoundOctets.trimmed(circuit, .remote) == circuit)
        #expect(BoundOctets.trimmed([2, 3, 0, 1, 0], .remote) == [0, 1, 0])
        // A length that does not fit is part of the value, and so is a header around nothing.
        #expect(BoundOctets.trimmed([1, 5, 9, 9], .circuit) == [1, 5, 9, 9])
        #expect(BoundOctets.trimmed([1, 0], .circuit) == [1, 0])
    }

    @Test func operatorsWriteTextOrDigits() {
        #expect(BoundOctets.octets("slot 1/7 ", .circuit) == Array("slot 1/7".utf8))
        #expect(BoundOctets.octets("0x0004006401fF", .circuit) == [0, 4, 0, 0x64, 1, 0xff])
        for wrong in ["0x", "0x1", "0xzz", " ", ""] { #expect(BoundOctets.octets(wrong, .circuit) == nil, "\(wrong)") }
    }

    /// What is learned from a request binds the same request.
    @Test func whatIsLearnedMatchesWhatItWasLearnedFrom() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let alphabet: [UInt8] = Bool.random() ? [0x20, 0x30, 0x78, 0x41, 0x2f] : [0, 1, 2, 3, 0x20, 0x41, 0x7f, 0xc3, 0xff]
            let octets = (0..<Int.random(in: 1...12, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            for kind in [BindingKind.circuit, .remote, .port] {
                let told = BoundOctets.trimmed(octets, kind)
                guard !told.isEmpty else { continue }
                #expect(BoundOctets.octets(BoundOctets.text(told), kind) == told, "\(octets)")
            }
        }
    }
}
