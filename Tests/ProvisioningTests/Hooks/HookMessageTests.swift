import RadiusCore
import Testing

@testable import Provisioning

/// What a message to a hook is signed with, where it may go, and what follows from an answer.
@Suite struct HookMessageTests {
    /// The vector of Standard Webhooks.
    @Test func signsAsTheStandardDoes() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func twoSecretsBothSign() throws {
        let new = "whsec_" + Base64.standard.text(of: [UInt8](repeating: 1, count: 24))
        let old = "whsec_" + Base64.standard.text(of: [UInt8](repeating: 2, count: 64))
        let sign = { (text: String) in WebhookSecret(text)?.signature(id: "msg_1_2", seconds: 3, body: [4]) ?? "none" }
        #expect(sign(new + " " + old) == sign(new) + " " + sign(old) && sign(new) != sign(old))
    }

    @Test(arguments: [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw  whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ])
    func takesNoOtherSecrets(text: String) {
        #expect(WebhookSecret(text) == nil)
    }

    /// Standard Webhooks names these pauses; the random part comes on top.
    @Test func theSameMessageIsTriedForThreeDays() {
        let pauses = (1...9).map { HookVerdict(.status(500, retryAfterSeconds: 0), attempts: $0, jitter: 0) }
        let seconds: [Int64] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
        #expect(pauses == seconds.map { HookVerdict.again(afterMilliseconds: $0 * 1000, problem: "it answered 500") })
        #expect(
            HookVerdict(.failure("Timeout was reached"), attempts: 10, jitter: 0)
                == .disabled(problem: "Timeout was reached, 10 times in three days"))
        #expect(HookVerdict(.failure("x"), attempts: 2, jitter: 1) == .again(afterMilliseconds: 360_000, problem: "x"))
    }

    @Test func aReceiverMayAskForMoreTime() {
        let again = { (wish: Int64) in HookVerdict(.status(503, retryAfterSeconds: wish), attempts: 1, jitter: 0) }
        #expect(again(2) == .again(afterMilliseconds: 5000, problem: "it answered 503"))
        #expect(again(60) == .again(afterMilliseconds: 60_000, problem: "it answered 503"))
        #expect(again(.max) == .again(afterMilliseconds: 86_400_000, problem: "it answered 503"))
        #expect(again(.min) == .again(afterMilliseconds: 5000, problem: "it answered 503"))
    }

    @Test func silenceCountsUnlessThisNodeMissedTheAnswer() {
        let verdict = { (isTimeout: Bool, stood: Bool) in
            HookVerdict(.silence("none", isTimeout: isTimeout), attempts: 10, jitter: 0, stood: stood)
        }
        for (isTimeout, stood) in [(true, false), (false, true), (false, false)] {
            #expect(verdict(isTimeout, stood) == .disabled(problem: "none, 10 times in three days"))
        }
        guard case .postponed = verdict(true, true) else {
            Issue.record("a receiver is blamed for what this node missed")
            return
        }
        #expect(HookVerdict(.status(204, retryAfterSeconds: 0), attempts: 10, jitter: 0, stood: true) == .delivered)
    }

    @Test func manyThatDoNotAnswerSpeakOfThisNode() {
        let isEverywhere = { (answers: [(HookAnswer, Int64)]) in
            var silence = HookSilence()
            for (answer, hook) in answers { silence.note(answer, of: hook) }
            return silence.isEverywhere
        }
        let (silent, heard) = (HookAnswer.silence("none", isTimeout: false), HookAnswer.status(500, retryAfterSeconds: 0))
        #expect(isEverywhere([(silent, 1), (silent, 2)]) && isEverywhere([(silent, 1), (silent, 1), (silent, 1)]))
        #expect(!isEverywhere([(silent, 1), (silent, 1)]) && !isEverywhere([(silent, 1), (heard, 3), (silent, 2)]))
        #expect(!isEverywhere([(.failure("its secret"), 1), (.failure("its address"), 2)]))
    }

    @Test func onlySuccessIsSuccess() {
        let verdict = { (status: Int, attempts: Int) in HookVerdict(.status(status, retryAfterSeconds: 0), attempts: attempts, jitter: 0) }
        for status in [200, 201, 204, 299] { #expect(verdict(status, 1) == .delivered) }
        #expect(verdict(410, 1) == .disabled(problem: "it answered 410: it is gone"))
        #expect(verdict(301, 1) == .again(afterMilliseconds: 5000, problem: "it answered 301, and redirects are not followed"))
        for (status, attempts) in [(199, 1), (404, 9), (400, 2)] {
            guard case .again = verdict(status, attempts) else {
                Issue.record("\(status) is not tried again")
                continue
            }
        }
        guard case .dropped = verdict(400, 3) else {
            Issue.record("a message that is refused again and again holds up the others")
            return
        }
    }

    @Test(arguments: [
        "0.0.0.0", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",
        "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "ff02::1",
        "4000::1",
    ])
    func staysOutOfWhatIsNotPublic(text: String) throws {
        let address = try #require(IPAddress(text: text))
        #expect(!WebhookReach().allows(address, isPlain: false))
        #expect(WebhookReach(["0.0.0.0/0", "::/0"]).allows(address, isPlain: true))
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.169.0.1", "223.255.255.255",
        "2606:4700::1111", "2a00::1", "64:ff9b::101:101",
    ])
    func reachesWhatIsPublicUnderTLS(text: String) throws {
        let address = try #require(IPAddress(text: text))
        #expect(WebhookReach().allows(address, isPlain: false) && !WebhookReach().allows(address, isPlain: true))
    }

    @Test func whatIsListedIsReached() throws {
        let reach = WebhookReach(["10.1.0.0/16", "fd00::7", "nonsense", "10.0.0.0/33", "10.0.0.0/8/8"])
        let allows = { (text: String) in IPAddress(text: text).map { reach.allows($0, isPlain: true) } }
        #expect(allows("10.1.2.3") == true && allows("::ffff:10.1.2.3") == true && allows("fd00::7") == true)
        #expect(allows("10.2.0.1") == false && allows("fd00::8") == false && allows("1.1.1.1") == false)
    }

    @Test func anAddressIsLookedAtWhenItIsGiven() {
        for good in ["https://a.example/x?y=z", "http://[::1]:80", "https://a.example:8443"] {
            #expect(WebhookURL.mistake(in: good) == nil, "\(good)")
        }
        for wrong in [
            "", "https://", "https:///x", "https://:80/", "ftp://a.example/", "HTTPS://a.example/", "file:///etc/passwd", "gopher://a/",
            "https://user:secret@a.example/", "https://a.example@b.example/", "https://a.example/#x", "https://a.example/ x",
            "https://a.example/\n", "https://ä.example/",
        ] {
            #expect(WebhookURL.mistake(in: wrong) != nil, "\(wrong)")
        }
    }
}
