extension AccessReason {
    /// The names of what only SIM cards do; the rest stands with the reasons themselves.
    var cardName: String {
        switch self {
        case .cardMissing: "sim_missing"
        case .cardAnswerWrong: "sim_answer_wrong"
        case .cardRejectsNetwork: "sim_rejects_network"
        case .cardSequenceLost: "sim_sequence_lost"
        default: "sim_gave_up"
        }
    }

    var cardSentence: String {
        switch self {
        case .cardMissing: "The subscriber has no SIM credential; set sim_credential to Ki and OPc of the card."
        case .cardAnswerWrong: "The SIM card's answer is wrong; Ki or OPc of the card differ from sim_credential."
        case .cardRejectsNetwork:
            "The SIM card does not believe the server: Ki, OPc or AMF of the card differ from sim_credential, or eap.aka_prime.network is not "
                + "what the device expects."
        case .cardSequenceLost: "The SIM card wants another sequence number even after it said its own, or has used up all of them."
        default:
            "The device ended the log-in by its SIM card; Ki or OPc differ from sim_credential, or it does not want to tell who it is."
        }
    }
}
