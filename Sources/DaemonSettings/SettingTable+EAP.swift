extension SettingTable {
    static let eap: [SettingKey] = [
        SettingKey(
            "eap.methods", .choices(["mschapv2", "md5", "gtc"]), "mschapv2,md5,gtc",
            "methods that may be used, in the order in which they are proposed"),
        SettingKey(
            "eap.notify_refused", .choice(["no", "yes"]), "no", "tell a proven peer that is turned away why, by an EAP Notification"),
        SettingKey("eap.conversations", .integer(16...1_048_576), "16384", "conversations at one moment; beyond it the oldest gives way"),
        SettingKey("eap.memory_bytes", .integer(1_048_576...68_719_476_736), "134217728", "memory of all conversations"),
        SettingKey("eap.conversation_bytes", .integer(4_096...1_048_576), "65536", "octets that a peer may send in one conversation"),
        SettingKey("eap.conversation_seconds", .integer(30...600), "120", "how long a conversation may take"),
        SettingKey("eap.response_seconds", .integer(5...300), "30", "how long a NAS is told to wait for each answer of its peer"),
        SettingKey("eap.threads", .integer(0...64), "0", "threads that work on conversations; 0: half of the cores"),
        SettingKey("eap.queue", .integer(1...1_048_576), "4096", "EAP packets that may wait for them; half of it for one client"),
        SettingKey(
            "eap.deadline_milliseconds", .integer(100...120_000), "5000",
            "how long an EAP packet may wait for them before it is dropped unanswered"),
    ]
}
