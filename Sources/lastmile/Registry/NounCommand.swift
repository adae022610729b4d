import ArgumentParser

/// The registry's nouns with their verbs and actions.
enum NounCommand {
    struct Subscriber: ParsableCommand {
        static let configuration = group(
            SubscriberNoun.self,
            [
                ExplainCommand.self, LockSubscriberCommand.self, UnlockSubscriberCommand.self, ActionCommand<SubscriberDisconnect>.self,
                ImportCommand.self,
            ])
    }

    struct NAS: ParsableCommand {
        static let configuration = group(NASNoun.self, [SimulateCommand.self])
    }

    struct Profile: ParsableCommand {
        static let configuration = group(ProfileNoun.self, [ActionCommand<ProfileApply>.self])
    }

    struct Lock: ParsableCommand { static let configuration = group(LockNoun.self) }
    struct Policy: ParsableCommand { static let configuration = group(AccessPolicyNoun.self) }

    struct PolicyRule: ParsableCommand {
        static let configuration = group(PolicyRuleNoun.self, [PolicyTestCommand.self])
    }

    struct Session: ParsableCommand {
        static let configuration = group(SessionNoun.self, [ActionCommand<SessionDisconnect>.self, ActionCommand<SessionCoA>.self])
    }

    struct AuthLog: ParsableCommand { static let configuration = group(AuthLogNoun.self) }
    struct Usage: ParsableCommand { static let configuration = group(UsageNoun.self) }
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
