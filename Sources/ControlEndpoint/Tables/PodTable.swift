internal import KubernetesAPI

/// The row of a pod, with the one-word status that sums up its phase, conditions and containers.
struct PodTable {
    private var reason: String
    private var restarts: Int64 = 0
    private var readyContainers = 0
    private var totalContainers: Int
    private var lastRestart: Timestamp?
    /// Restarts of sidecars only: once the pod is initialised, init containers no longer count.
    private var sidecarRestarts: Int64 = 0
    private var lastSidecarRestart: Timestamp?
    private let pod: JSONValue

    static func cells(_ pod: JSONValue, now: Timestamp) -> [JSONValue] {
        var table = PodTable(pod)
        table.evaluate()
        let address = pod.list("status", "podIPs").first?.string("ip") ?? pod.string("status", "podIP")
        return [
            TableLayout.name(pod), .string("\(table.readyContainers)/\(table.totalContainers)"), .string(table.reason),
            .string(table.restartText(now: now)), TableLayout.age(pod, now), orNone(address),
            orNone(pod.string("spec", "nodeName")), orNone(pod.string("status", "nominatedNodeName")),
            .string(readinessGates(pod)),
        ]
    }

    private static func orNone(_ text: String) -> JSONValue { .string(text.isEmpty ? "<none>" : text) }

    private init(_ pod: JSONValue) {
        self.pod = pod
        let phase = pod.string("status", "phase")
        let given = pod.string("status", "reason")
        reason = given.isEmpty ? phase : given
        totalContainers = pod.list("spec", "containers").count
    }

    private mutating func evaluate() {
        let conditions = pod.list("status", "conditions")
        let isGated = conditions.contains {
            $0.string("type") == "PodScheduled" && $0.string("reason") == "SchedulingGated"
        }
        if isGated { reason = "SchedulingGated" }
        let isInitializing = readInitContainers()
        if !isInitializing || Self.isTrue("Initialized", conditions) { readContainers(conditions) }
        let isDeleted = pod[path: "metadata", "deletionTimestamp"]?.stringValue != nil
        let phase = pod.string("status", "phase")
        if isDeleted, pod.string("status", "reason") == "NodeLost" {
            reason = "Unknown"
        } else if isDeleted, phase != "Succeeded", phase != "Failed" {
            reason = "Terminating"
        }
    }

    /// True when an init container holds the pod back; the reason then says which and why.
    private mutating func readInitContainers() -> Bool {
        let specs = pod.list("spec", "initContainers")
        let sidecars = Set(specs.filter { $0.string("restartPolicy") == "Always" }.map { $0.string("name") })
        totalContainers += sidecars.count
        for (index, status) in pod.list("status", "initContainerStatuses").enumerated() {
            let isSidecar = sidecars.contains(status.string("name"))
            countRestarts(of: status, isSidecar: isSidecar)
            let terminated = status[path: "state", "terminated"]
            if let terminated, terminated["exitCode"]?.intValue == 0 { continue }
            if isSidecar, status["started"]?.boolValue == true {
                if status["ready"]?.boolValue == true { readyContainers += 1 }
                continue
            }
            let waiting = status.string("state", "waiting", "reason")
            if let terminated, terminated.objectValue != nil {
                reason = "Init:" + Self.text(terminated)
            } else if !waiting.isEmpty, waiting != "PodInitializing" {
                reason = "Init:" + waiting
            } else {
                reason = "Init:\(index)/\(specs.count)"
            }
            return true
        }
        return false
    }

    private mutating func readContainers(_ conditions: [JSONValue]) {
        restarts = sidecarRestarts
        lastRestart = lastSidecarRestart
        var hasRunning = false
        for status in pod.list("status", "containerStatuses").reversed() {
            countRestarts(of: status, isSidecar: false)
            let waiting = status.string("state", "waiting", "reason")
            if !waiting.isEmpty {
                reason = waiting
            } else if let terminated = status[path: "state", "terminated"], terminated.objectValue != nil {
                reason = Self.text(terminated)
            } else if status["ready"]?.boolValue == true, status[path: "state", "running"]?.objectValue != nil {
                hasRunning = true
                readyContainers += 1
            }
        }
        // One container that ended well does not make a pod completed while another runs.
        if reason == "Completed", hasRunning { reason = Self.isTrue("Ready", conditions) ? "Running" : "NotReady" }
    }

    private mutating func countRestarts(of status: JSONValue, isSidecar: Bool) {
        let count = status["restartCount"]?.intValue ?? 0
        let finished = Timestamp(rfc3339: status.string("lastState", "terminated", "finishedAt"))
        restarts = restarts &+ count
        if let finished, lastRestart.map({ $0 < finished }) ?? true { lastRestart = finished }
        guard isSidecar else { return }
        sidecarRestarts = sidecarRestarts &+ count
        if let finished, lastSidecarRestart.map({ $0 < finished }) ?? true { lastSidecarRestart = finished }
    }

    private func restartText(now: Timestamp) -> String {
        guard restarts != 0, let lastRestart else { return String(restarts) }
        return "\(restarts) (\(HumanDuration.text(seconds: now.seconds &- lastRestart.seconds)) ago)"
    }

    private static func text(_ terminated: JSONValue) -> String {
        let reason = terminated.string("reason")
        if !reason.isEmpty { return reason }
        if let signal = terminated["signal"]?.intValue, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(terminated["exitCode"]?.intValue ?? 0)"
    }

    private static func isTrue(_ type: String, _ conditions: [JSONValue]) -> Bool {
        conditions.contains { $0.string("type") == type && $0.string("status") == "True" }
    }

    private static func readinessGates(_ pod: JSONValue) -> String {
        let gates = pod.list("spec", "readinessGates")
        if gates.isEmpty { return "<none>" }
        let conditions = pod.list("status", "conditions")
        let met = gates.filter { isTrue($0.string("conditionType"), conditions) }.count
        return "\(met)/\(gates.count)"
    }
}

extension TableLayout {
    static let pods = TableLayout(
        columns: [
            nameColumn,
            Column(name: "Ready", description: "Containers that are ready, of all."),
            Column(name: "Status", description: "The pod's phase, or why it is not in it yet."),
            Column(name: "Restarts", description: "Restarts of all containers, and the last one's age."),
            ageColumn,
            Column(name: "IP", description: "The pod's address.", priority: 1),
            Column(name: "Node", description: "The node the pod is bound to.", priority: 1),
            Column(name: "Nominated Node", description: "The node the pod is to be bound to.", priority: 1),
            Column(name: "Readiness Gates", description: "Readiness gates that are met, of all.", priority: 1),
        ], cells: { PodTable.cells($0, now: $1) })
}
