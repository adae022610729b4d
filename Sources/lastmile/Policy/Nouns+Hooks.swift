/// Who is told of logins.
extension Noun {
    static let postAuthHook = Noun(
        name: "post-auth-hook", path: "post-auth-hooks", summary: "Receivers that are told of logins once they are answered",
        fields: [
            Field("name", .text, "How you call it"),
            Field("enabled", .flag, "true or false"),
            Field("outcome", .text, "Which answers it is told of: accept, reject or both"),
            Field("condition", .text, "Such as 'nas.huntgroup == \"city\" and login.method == pap'; without it: always"),
            Field("url", .text, "Where messages are sent, such as https://receiver.example.net/logins"),
            Field("secret", .text, "What they are signed with: whsec_ and 24 to 64 octets in base64; two of them while it changes"),
            Field("notes", .text, "For people"),
        ],
        columns: [
            Column("name"), Column("enabled"), Column("outcome"), Column("url"), Column("waiting_events"), Column("lost_events"),
            Column("problem"),
        ],
        example: "lastmile post-auth-hook create --name crm --url https://receiver.example.net/logins --secret whsec_...")
}
