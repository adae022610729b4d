import Support
import Testing

extension SpineTests {
    /// One NAS that changes its make: each make's own attributes, read by FreeRADIUS's dictionaries, upload and download not swapped.
    @Suite struct Vendors {
        private struct Expectation {
            let vendor: String
            let attributes: [String]
        }

        /// A plan of 37 Mbit/s down and 11 up. From the vendors' guides: MikroTik writes rx/tx seen from the router; Cisco's `input` and
        /// Huawei's `Input` are what comes from the subscriber; Junos shapes only what goes to it; Nokia overrides ingress queue 1 and the
        /// egress aggregate, in kbit/s. Cisco's bursts are 1.5 and 3 seconds of the rate, in octets.
        private static let expected = [
            Expectation(vendor: "mikrotik", attributes: ["Mikrotik-Rate-Limit = \"11M/37M\""]),
            Expectation(
                vendor: "cisco",
                attributes: [
                    #"Cisco-AVPair = "lcp:interface-config#1=rate-limit input 11000000 2062500 4125000 conform-action transmit exceed-action drop""#,
                    #"Cisco-AVPair = "lcp:interface-config#1=rate-limit output 37000000 6937500 13875000 conform-action transmit exceed-action drop""#,
                ]),
            Expectation(vendor: "juniper", attributes: [#"ERX-Cos-Shaping-Pmt-Type = "T02 37000000""#]),
            Expectation(
                vendor: "huawei",
                attributes: [
                    "Huawei-Input-Average-Rate = 11000000", "Huawei-Input-Peak-Rate = 11000000", "Huawei-Output-Average-Rate = 37000000",
                    "Huawei-Output-Peak-Rate = 37000000",
                ]),
            Expectation(
                vendor: "nokia",
                attributes: [#"Alc-Subscriber-QoS-Override = "i:q:1:pir=11000""#, #"Alc-Subscriber-QoS-Override = "e:r:rate=37000""#]),
        ]

        @Test func eachMakeGetsItsOwnAttributes() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let plan = "plan-\(await Serial.next())"
            try await owner.create("profiles", #"{"name":"\#(plan)","download":37000000,"upload":11000000}"#)
            let user = try await TestSubscriber.create(owner, profile: plan).name
            let nas = try await TestNAS.create(owner, vendor: "generic")
            let client = Radclient(daemon, as: nas)
            for expectation in Self.expected {
                try await owner.change("nas/\(nas.name)", #"{"vendor":"\#(expectation.vendor)"}"#)
                var speeds: [String] = []
                try await eventually {
                    let reply = try await client.login(user)
                    guard reply.code == "Access-Accept" else { return false }
                    speeds = reply.attributes.filter(Self.isSpeed).sorted()
                    return speeds.contains { $0.hasPrefix(expectation.attributes[0].prefix { $0 != "-" }) }
                }
                #expect(Self.folded(speeds) == Self.folded(expectation.attributes.sorted()), "\(expectation.vendor)")
            }
        }

        private static func isSpeed(_ line: String) -> Bool {
            ["Mikrotik-", "Cisco-", "ERX-", "Huawei-", "Alc-", "WISPr-"].contains { line.hasPrefix($0) }
        }

        /// Two dictionaries may spell a name with different capitals.
        private static func folded(_ lines: [String]) -> [String] { lines.map { $0.lowercased() }.sorted() }
    }
}
