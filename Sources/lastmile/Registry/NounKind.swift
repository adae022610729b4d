/// A noun as a type, so that one generic command serves all of them.
protocol NounKind: Sendable {
    static var noun: Noun { get }
}

enum SubscriberNoun: NounKind { static let noun = Noun.subscriber }
enum NASNoun: NounKind { static let noun = Noun.nas }
enum ProfileNoun: NounKind { static let noun = Noun.profile }
enum LockNoun: NounKind { static let noun = Noun.lock }
enum AccessPolicyNoun: NounKind { static let noun = Noun.accessPolicy }
enum PolicyRuleNoun: NounKind { static let noun = Noun.policyRule }
enum PostAuthHookNoun: NounKind { static let noun = Noun.postAuthHook }
enum HomeServerNoun: NounKind { static let noun = Noun.homeServer }
enum HomeServerPoolNoun: NounKind { static let noun = Noun.homeServerPool }
enum RealmNoun: NounKind { static let noun = Noun.realm }
enum SessionNoun: NounKind { static let noun = Noun.session }
enum DynamicAuthorizationNoun: NounKind { static let noun = Noun.dynamicAuthorization }
enum AuthLogNoun: NounKind { static let noun = Noun.authLog }
enum UsageNoun: NounKind { static let noun = Noun.usage }
enum TenantNoun: NounKind { static let noun = Noun.tenant }
enum TokenNoun: NounKind { static let noun = Noun.token }
enum AuditNoun: NounKind { static let noun = Noun.audit }
