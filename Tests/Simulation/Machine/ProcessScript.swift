/// What a program does when it is run, known to the world and the model, not to the agent.
struct ProcessScript: Hashable {
    enum OnTerminate: Hashable {
        case exits(after: Duration, code: Int32)
        case ignores
    }

    /// Nil runs until it is told to end.
    var lifetime: Duration?
    var exitCode: Int32 = 0
    var onTerminate = OnTerminate.exits(after: .milliseconds(100), code: 0)
    /// The program cannot be executed at all.
    var failsToStart = false
    /// From when on the liveness probe fails, counted from the start.
    var livenessFailsAfter: Duration?
    /// From when on the startup probe succeeds; nil never.
    var startedAfter: Duration? = .zero
    /// When readiness changes; it begins unready.
    var readinessChanges: [Duration] = [.zero]
    /// How long a command in it takes.
    var commandTakes = Duration.milliseconds(10)
    /// How long its hooks take, and how they end.
    var hookTakes = Duration.milliseconds(50)
    var hookCode: Int32 = 0

    func isReady(at age: Duration) -> Bool { readinessChanges.filter { $0 <= age }.count % 2 == 1 }
    func isLive(at age: Duration) -> Bool { livenessFailsAfter.map { age < $0 } ?? true }
    func hasStarted(at age: Duration) -> Bool { startedAfter.map { age >= $0 } ?? false }
}

/// The scripts of one container's attempts; the last holds for all that follow.
struct ContainerScripts: Hashable {
    var scripts: [ProcessScript]

    init(_ scripts: ProcessScript...) { self.scripts = scripts }

    init(list: [ProcessScript]) { scripts = list }

    /// - Parameter run: how often a program of this container has been started before.
    func script(run: Int) -> ProcessScript { scripts[min(run, scripts.count - 1)] }
}

/// How a command inside a container ended.
enum CommandEnd: Hashable {
    case exited(Int32)
    case timedOut
}

/// The commands that probes and hooks run, by what they ask.
enum ScriptedCommand: String {
    case liveness = "is-live"
    case readiness = "is-ready"
    case startup = "has-started"
    case preStop = "pre-stop"
    case postStart = "post-start"
}
