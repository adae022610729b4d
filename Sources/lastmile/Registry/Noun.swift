/// Something that the daemon keeps, as the command line speaks of it.
///
/// The same names as the API's. Fields that are not listed here can still be given by `--set`: a daemon may be newer than this.
struct Noun: Sendable {
    enum Verb: String, CaseIterable, Sendable {
        case list, get, create, update, delete
    }

    /// On the command line: `access-policy`.
    let name: String
    /// Behind `/api/v1/`.
    let path: String
    let summary: String
    var verbs: [Verb] = Verb.allCases
    var fields: [Field] = []
    let columns: [Column]
    /// What `list` takes besides the fields.
    var filters: [Filter] = []
    /// One a tenant, without a name.
    var isSingleton = false
    /// Changing it can be followed by applying it.
    var applies = false
    /// A create line that works.
    var example = ""

    struct Field: Sendable {
        enum Kind: Sendable {
            case text, integer, flag
            /// Given as often as it has values.
            case list
            /// `Name=value`, given as often as there are attributes.
            case attributes
        }

        let name: String
        let kind: Kind
        let summary: String
        /// The option in the singular where the field is a list.
        var option: String

        init(_ name: String, _ kind: Kind, _ summary: String, option: String? = nil) {
            self.name = name
            self.kind = kind
            self.summary = summary
            self.option = option ?? name.replacing("_", with: "-")
        }
    }

    /// An option of `list` and the query parameter that it stands for.
    struct Filter: Sendable {
        let option: String
        let parameter: String
        let summary: String

        init(_ option: String, _ parameter: String? = nil, _ summary: String) {
            self.option = option
            self.parameter = parameter ?? option
            self.summary = summary
        }
    }
}
