import ArgumentParser

/// The registry's nouns with their verbs and actions.
enum NounCommand {
    struct Subscriber: ParsableCommand {
        static let configuration = group(
            SubscriberNoun.self,
            [
                ExplainCommand.self, LockSubscriberCommand.self, UnlockSubscriberCommand.self, ActionCommand<SubscriberDisconnect>.self,
                ImportCommand.self, SubscriberQuotaCommand.self,
            ])
    }

    struct NAS: ParsableCommand {
        static let configuration = group(NASNoun.self, [DoctorCommand.self, SimulateCommand.self])
    }

    struct Profile: ParsableCommand {
        static let configuration = group(ProfileNoun.self, [ActionCommand<ProfileApply>.self])
    }

    struct Lock: ParsableCommand { static let configuration = group(LockNoun.self) }
    struct Policy: ParsableCommand { static let configuration = group(AccessPolicyNoun.self) }

    struct PolicyRule: ParsableCommand {
        static let configuration = group(PolicyRuleNoun.self, [PolicyTestCommand.self])
    }

    struct PostAuthHook: ParsableCommand { static let configuration = group(PostAuthHookNoun.self) }

    struct HomeServer: ParsableCommand {
        static let configuration = group(HomeServerNoun.self, [HomeServerStatusCommand.self])
    }

    struct HomeServerPool: ParsableCommand { static let configuration = group(HomeServerPoolNoun.self) }

    struct Realm: ParsableCommand {
        static let configuration = group(RealmNoun.self, [RealmMatchCommand.self])
    }

    struct Session: ParsableCommand {
        static let configuration = group(SessionNoun.self, [ActionCommand<SessionDisconnect>.self, ActionCommand<SessionCoA>.self])
    }

    struct DynamicAuthorization: ParsableCommand { static let configuration = group(DynamicAuthorizationNoun.self) }
    struct AuthLog: ParsableCommand { static let configuration = group(AuthLogNoun.self) }
    struct Usage: ParsableCommand { static let configuration = group(UsageNoun.self) }
    struct AddressPool: ParsableCommand { static let configuration = group(AddressPoolNoun.self, [PoolLeasesCommand.self]) }
    struct AddressLease: ParsableCommand {
        static let configuration = group(AddressLeaseNoun.self, [ReleaseLeaseCommand.self])
    }
    struct Quota: ParsableCommand { static let configuration = group(QuotaNoun.self) }
    struct QuotaThreshold: ParsableCommand { static let configuration = group(QuotaThresholdNoun.self) }
    struct QuotaTopUp: ParsableCommand { static let configuration = group(QuotaTopUpNoun.self) }
    struct QuotaState: ParsableCommand { static let configuration = group(QuotaStateNoun.self) }
    struct QuotaEvent: ParsableCommand { static let configuration = group(QuotaEventNoun.self) }
    struct Tenant: ParsableCommand { static let configuration = group(TenantNoun.self) }
    struct Token: ParsableCommand { static let configuration = group(TokenNoun.self) }
    struct Audit: ParsableCommand { static let configuration = group(AuditNoun.self) }

    private static func group<Kind: NounKind>(_ kind: Kind.Type, _ actions: [any ParsableCommand.Type] = []) -> CommandConfiguration {
        let verbs: [any ParsableCommand.Type] = Kind.noun.verbs.map { verb in
            switch verb {
            case .list: ListCommand<Kind>.self
            case .get: GetCommand<Kind>.self
            case .create: CreateCommand<Kind>.self
            case .update: UpdateCommand<Kind>.self
            case .delete: DeleteCommand<Kind>.self
            }
        }
        return CommandConfiguration(commandName: Kind.noun.name, abstract: Kind.noun.summary + ".", subcommands: verbs + actions)
    }
}
