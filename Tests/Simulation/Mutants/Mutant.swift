/// Bugs planted into the rig, each of which an agent could have. The checker has to notice every one.
enum Mutant: String, CaseIterable {
    /// Writes and deletions of a pod hit whatever has its name.
    case ignoresUID = "ignores-uid"
    /// One start gives two running instances.
    case runsTwice = "runs-twice"
    /// An ended pod keeps everything it had.
    case forgetsRelease = "forgets-release"
    case leaksMounts = "leaks-mounts"
    case leaksAddresses = "leaks-addresses"
    case leaksCgroups = "leaks-cgroups"
    case leaksLogs = "leaks-logs"
    /// Exit codes are one too high.
    case wrongExitCode = "wrong-exit-code"
    /// The pod leaves the API before it has left the node.
    case deletesEarly = "deletes-early"
    /// The agent's end is the end of its containers.
    case killsAtBoot = "kills-at-boot"
    /// A new agent does not find the containers of the one before.
    case losesRecords = "loses-records"
    /// Containers are killed at once.
    case skipsGrace = "skips-grace"
    /// Programs that ignore the stop signal stay.
    case neverKills = "never-kills"
    case skipsPreStop = "skips-pre-stop"
    /// A shortened grace period is not noticed.
    case keepsGrace = "keeps-grace"
    /// How far a postStart hook has come is known to one agent only.
    case forgetsHooks = "forgets-hooks"
    /// A created container runs before it is started.
    case startsUnasked = "starts-unasked"
    /// Nobody hears of exits.
    case losesEvents = "loses-events"
    /// Pods removed from the API stay.
    case dropsRemovals = "drops-removals"
    /// Requests for deletion do not arrive.
    case dropsDeletions = "drops-deletions"
    /// A status counts as written before it is.
    case acknowledgesEarly = "acknowledges-early"
    case resetsRestartCounts = "resets-restart-counts"
    /// A pod that has ended is said to run again.
    case revivesPhase = "revives-phase"
    /// Timers are ten times too fast.
    case fastTimers = "fast-timers"
    /// Timers are ten times too slow.
    case slowTimers = "slow-timers"
    /// Timers go by the wall clock.
    case wallTimers = "wall-timers"
    case alwaysReady = "always-ready"
    case alwaysLive = "always-live"
    /// A probe that cannot be run counts as failed.
    case countsErrors = "counts-errors"
    /// A program of a forgotten pod comes back.
    case revivesPods = "revives-pods"
    /// A part of the pods is taken for all.
    case partialLists = "partial-lists"
    /// Init containers count as done when they start.
    case hastyInits = "hasty-inits"
    /// Stopping one container also stops one of another pod.
    case stopsAnother = "stops-another"
    /// Every edit looks like a new definition.
    case unstableHash = "unstable-hash"
}
