import Provisioning

extension Metrics {
    mutating func addHooks(_ parts: Parts) {
        let state = parts.hooks.state
        family("hook_events_total", "counter", "Log-ins that hooks were to be told of, by what became of it, over all nodes.")
        for hook in state.figures {
            sample("hook_events_total", Self.labels(hook) + [("outcome", "delivered")], hook.delivered)
            sample("hook_events_total", Self.labels(hook) + [("outcome", "lost")], hook.lost)
        }
        family("hook_waiting", "gauge", "Log-ins that a hook is still to be told of, over all nodes.")
        for hook in state.figures { sample("hook_waiting", Self.labels(hook), hook.waiting) }
        family("hook_attempts", "gauge", "Attempts at the message under way that failed; 0 while all goes well.")
        for hook in state.figures { sample("hook_attempts", Self.labels(hook), hook.attempts) }
        family("hook_enabled", "gauge", "0 for a hook that is switched off, by somebody or because nothing got through for days.")
        for hook in state.figures { sample("hook_enabled", Self.labels(hook), hook.isEnabled ? 1 : 0) }
        family("hook_messages_total", "counter", "Messages that this node sent to hooks, by what came of them.")
        sample("hook_messages_total", [("outcome", "delivered")], state.delivered)
        sample("hook_messages_total", [("outcome", "failed")], state.failed)
        sample("hook_messages_total", [("outcome", "dropped")], state.dropped)
        sample("hook_messages_total", [("outcome", "disabled")], state.disabled)
        single("hook_turn", "gauge", "1 on the node that tells hooks.", state.hasTurn ? 1 : 0)
        single("hook_connected", "gauge", "1 while this node reaches the database for it.", state.lastError == nil ? 1 : 0)
        single(
            "hook_problems", "gauge", "Hooks whose conditions or hours are not what was asked for, until it is mended; the log names them.",
            parts.hookQueue?.problems.count ?? 0)
    }

    private static func labels(_ hook: HookFigure) -> [(String, String)] { [("tenant", "\(hook.tenant)"), ("hook", hook.name)] }
}
