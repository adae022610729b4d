import Testing

@testable import lastmile

@Suite struct FieldWordsTests {
    private func body(_ line: String, _ noun: Noun) throws -> String {
        let words = try FieldWords(line.split(separator: " ").map(String.init), noun: noun)
        return words.document.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test func makesABodyOfTheLinesThatScriptsUse() throws {
        #expect(
            try body("--name core1 --address 192.0.2.0/24 --secret S --vendor mikrotik", .nas)
                == #"{"name":"core1","address":"192.0.2.0/24","secret":"S","vendor":"mikrotik"}"#)
        #expect(try body("--name home50 --download 50M --upload 10M", .profile) == #"{"name":"home50","download":"50M","upload":"10M"}"#)
        #expect(
            try body("--username alice --password P --profile home50", .subscriber)
                == #"{"username":"alice","password":"P","profile":"home50"}"#)
    }

    @Test func sendsEachKindAsItsJSON() throws {
        #expect(try body("--vlan=100 --static-ipv4 192.0.2.7", .subscriber) == #"{"vlan":100,"static_ipv4":"192.0.2.7"}"#)
        #expect(try body("--enabled false --send-message-authenticator", .nas) == #"{"enabled":false,"send_message_authenticator":true}"#)
        #expect(try body("--coa-over connection --coa-port 1700", .nas) == #"{"coa_over":"connection","coa_port":1700}"#)
        #expect(try body("--scope aaa:read --scope aaa:write", .token) == #"{"scopes":["aaa:read","aaa:write"]}"#)
        #expect(
            try body("--attribute Class=0x01 --attribute Filter-Id=a=b", .profile)
                == #"{"attributes":[{"name":"Class","value":"0x01"},{"name":"Filter-Id","value":"a=b"}]}"#)
    }

    @Test func setsFieldsThatItDoesNotKnow() throws {
        #expect(
            try body("--set vlan=7 --set new_field=[1] --set other=text --clear notes --clear static-ipv4", .subscriber)
                == #"{"vlan":7,"new_field":[1],"other":"text","notes":null,"static_ipv4":null}"#)
    }

    @Test func takesValuesThatBeginWithAHyphen() throws {
        #expect(try body("--password -x- --username=--y", .subscriber) == #"{"password":"-x-","username":"--y"}"#)
    }

    @Test func tellsNamesFromOptions() throws {
        let words = try FieldWords(["--download", "100M", "home50"], noun: .profile)
        #expect(words.names == ["home50"])
        #expect(try FieldWords(["--", "--odd"], noun: .profile).names == ["--odd"])
    }

    @Test(arguments: [
        (["--nme", "x"], "Did you mean --name?"), (["--name"], "How you call it"), (["--coa-port", "ten"], "coa.port"),
        (["--enabled", "maybe"], "belongs"), (["--set", "x"], "--set field=value"), (["-n", "x"], "Possible are"),
    ])
    func refusesWithWhatIsPossible(_ words: [String], _ hint: String) throws {
        guard hint != "belongs" else {
            // A flag takes no other word for its value, so the word is left over as a name.
            #expect(try FieldWords(words, noun: .nas).names == ["maybe"])
            return
        }
        let failure = #expect(throws: CommandFailure.self) { try FieldWords(words, noun: .nas) }
        #expect(failure?.status == .usage)
        #expect(failure?.next.contains(hint) == true)
    }

    @Test func makesQueriesOfFilters() throws {
        let query = try Noun.session.query(["--user", "alice", "--ip=192.0.2.1"])
        #expect(query.map(\.name) == ["user", "ip"])
        #expect(query.map(\.value) == ["alice", "192.0.2.1"])
        #expect(try Noun.condition("at[gte]=2h") == ("at[gte]", "2h"))
        #expect(try Noun.condition("status!=active") == ("status[ne]", "active"))
        #expect(throws: CommandFailure.self) { try Noun.condition("status") }
        #expect(throws: CommandFailure.self) { try Noun.session.query(["--usr", "x"]) }
    }

    @Test func namesOneThingAtATime() throws {
        #expect(try Noun.nas.itemPath(["core1"]) == ["nas", "core1"])
        #expect(try Noun.accessPolicy.itemPath([]) == ["access-policy"])
        for names in [[], ["a", "b"], [""]] { #expect(throws: CommandFailure.self) { try Noun.nas.itemPath(names) } }
    }

    @Test func aFlagIsTrueOrFalse() throws {
        #expect(try body("--strip no", .realm) == #"{"strip":false}"#)
        #expect(try body("--strip yes", .realm) == #"{"strip":true}"#)
        let bare = try FieldWords(["--strip", "partner"], noun: .realm)
        #expect(bare.names == ["partner"])
        try bare.checkNames(atMost: 1)
        let wrong = try FieldWords(["partner", "--strip", "maybe"], noun: .realm)
        let failure = #expect(throws: CommandFailure.self) { try wrong.checkNames(atMost: 1) }
        #expect(failure?.message == "--strip is “maybe”" && failure?.next == "true or false is possible.")
    }

    /// What a name means is the daemon's to say: zeros in front and `id:` reach it as they were typed.
    @Test func sendsNamesAsTheyWereTyped() throws {
        for noun in Noun.all where !noun.isSingleton {
            for name in ["0007", "7", "id:7", "name:7"] { #expect(try noun.itemPath([name]) == [noun.path, name]) }
        }
    }

    @Test func everyFieldHasAnOptionOfItsOwn() {
        for noun in Noun.all {
            #expect(Set(noun.fields.map(\.option)).count == noun.fields.count)
            #expect(!noun.columns.isEmpty)
            #expect(!noun.verbs.contains(.create) || noun.example.hasPrefix("lastmile "))
        }
        #expect(Set(Noun.all.map(\.path)).count == Noun.all.count)
    }
}
