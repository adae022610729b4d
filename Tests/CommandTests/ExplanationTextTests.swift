import Testing

@testable import lastmile

@Suite struct ExplanationTextTests {
    @Test func printsTheDerivation() throws {
        let explanation = try JSONReader.parse(
            """
            {"username":"alice","status":"active","locks":[{"reason":"overdue","level":"captive"}],"level":"captive","answer":"Access-Accept",
             "reason":"accepted_captive","sentence":"Accepted into the walled garden.","credential":"clear","methods":["pap","chap"],
             "profile":{"id":3,"name":"garden","download":1000000,"upload":0},"nas":{"name":"core1","vendor":"cisco"},
             "rules":[{"id":7,"name":"night","priority":10,"result":"not_reached","detail":"the rule day ended the rules"}],"warnings":["a warning"],"attributes":[{"name":"Tunnel-Type","tag":1,"value":"VLAN"},{"name":"Filter-Id","tag":null,"value":"x\\u001by"}]}
            """)
        #expect(
            ExplanationText.text(explanation) == """
                subscriber  alice
                status      active
                locks       overdue (captive)
                level       captive
                password    stored in clear; serves pap, chap
                profile     garden
                download    1Mbit/s (to the subscriber)
                upload      no limit (from the subscriber)
                nas         core1 (cisco)
                rule        night (10) not reached: the rule day ended the rules
                warning     a warning

                Access-Accept
                    Tunnel-Type:1 = VLAN
                    Filter-Id = x\\x1by

                => Accepted into the walled garden.

                """)
    }

    @Test func printsWhatHoldsOutsideOfATunnel() throws {
        let explanation = try JSONReader.parse(
            """
            {"username":"anonymous@home.example","answer":"undecided","reason":null,"sentence":"No subscriber's name.","forwarding":null,
             "nas":{"name":"core1","vendor":"cisco"},"rules":[{"id":7,"name":"old","priority":10,"result":"holds","detail":"TLS 1.2"}]}
            """)
        #expect(
            ExplanationText.text(explanation) == """
                user name   anonymous@home.example
                nas         core1 (cisco)
                rule        old (10) holds: TLS 1.2

                undecided

                => No subscriber's name.

                """)
        let refused = try JSONReader.parse(
            #"{"username":"anonymous@home.example","answer":"Access-Reject","reason":"tls_no_shared_version","sentence":"None.","rules":[]}"#
        )
        #expect(ExplanationText.text(refused) == "user name   anonymous@home.example\n\nAccess-Reject\n\n=> None.\n")
    }

    @Test func tellsWhatIsBoundAndHowOftenOneIsOnline() throws {
        let explanation = try JSONReader.parse(
            """
            {"username":"alice","answer":"Access-Reject","sessions":{"limit":2,"on_limit":"replace","places":1},"bindings":[
             {"attribute":"Calling-Station-Id","mode":"enforce","bound":["00:53:00:12:34:56"],"received":"x","result":"absent"},
             {"attribute":"ADSL-Agent-Circuit-Id","mode":"log","bound":["a","0x04"],"received":null,"result":"absent"},
             {"attribute":"NAS-Port-Id","mode":"log","bound":["a"],"received":"b","result":"differs"},
             {"attribute":"ADSL-Agent-Remote-Id","mode":"log","bound":[],"received":null,"result":"awaited"}]}
            """)
        let lines = ExplanationText.text(explanation).split(separator: "\n").map(String.init)
        #expect(lines.contains("sessions    online from 1 of 2 places; one more ends the oldest"))
        let elsewhere = try JSONReader.parse(#"{"username":"alice","sessions":{"limit":1,"on_limit":"reject","places":null}}"#)
        #expect(ExplanationText.text(elsewhere).contains("at most 1 place; from how many it is online is not known at this node\n"))
        #expect(
            lines.filter { $0.hasPrefix("bound") } == [
                "bound       Calling-Station-Id (enforce): 00:53:00:12:34:56; the request has x, which tells none",
                "bound       ADSL-Agent-Circuit-Id (log): a, 0x04; the request does not tell",
                "bound       NAS-Port-Id (log): a; the request has b, which differs",
                "bound       ADSL-Agent-Remote-Id (log): the first login binds it",
            ])
    }

    @Test func tellsWhetherTheNetworkDidIt() throws {
        let ack = try JSONReader.parse(#"{"session":7,"outcome":"ack","message":"The NAS confirmed."}"#)
        let nak = try JSONReader.parse(
            #"{"subscriber":1,"sessions":[{"session":8,"outcome":{"session":8,"outcome":"nak","message":"No."}}]}"#)
        let counts = try JSONReader.parse(#"{"sessions":3,"ack":2,"nak":0,"timeout":1,"refused":0}"#)
        #expect(OutcomeText.isDone(ack))
        #expect(!OutcomeText.isDone(nak))
        #expect(!OutcomeText.isDone(counts))
        let closed = { (kind: String) in
            try JSONReader.parse(#"{"session":9,"kind":"\#(kind)","outcome":"nak","message":"Closed.","closed":true}"#)
        }
        #expect(try OutcomeText.isDone(closed("disconnect")) && !OutcomeText.isDone(closed("coa")))
        #expect(OutcomeText.line(ack) == "session 7: ack: The NAS confirmed.")
        #expect(OutcomeText.applied(nak) == "session 8: nak: No.\n")
        #expect(OutcomeText.applied(counts) == "sessions 3, ack 2, nak 0, timeout 1, refused 0\n")
        #expect(!OutcomeText.advice(counts).isEmpty)
        // It says itself where its NAS takes requests.
        let silence = try JSONReader.parse(#"{"session":7,"outcome":"timeout","message":"No answer on the connection of the NAS."}"#)
        #expect(!OutcomeText.isDone(silence) && OutcomeText.advice(silence).isEmpty)
        #expect(OutcomeText.advice(nak).isEmpty)
    }
}
