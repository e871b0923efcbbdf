import KubernetesAPI
import KubernetesClient
import NodeAgent

/// Looks at what really happens on the machine and at the endpoint, and says which invariant it breaks.
///
/// It has rules of its own and shares none with the agent.
final class Checker {
    struct Violation: Hashable {
        var invariant: String
        var text: String
        var about: String
        var at: Duration
    }

    let timeline: Timeline
    weak var machine: SimulatedMachine?
    weak var api: SimulatedAPI?
    var note: (String) -> Void = { _ in }
    private(set) var violations: [Violation] = []
    private(set) var ledgers: [String: PodLedger] = [:]
    private(set) var checks = 0
    private var agentNumber = 0
    var agentStartedAt: Duration = .zero
    var agentStoppingAt: Duration?
    var agentGoneAt: Duration? = .zero
    /// Until then the agent keeps pods which the API has lost, as it has said.
    var deletionsHeldUntil: Duration?
    /// Nothing is made to fail, so that upper bounds of time hold.
    var clockHasJumped = false
    /// The host neither dawdles nor fails.
    var hasPromptHost = true
    var isCalm = false
    var calmSince: Duration = .zero
    /// Allowed between what is exact and what a busy agent does.
    static let slack = Duration.seconds(3)

    init(timeline: Timeline) { self.timeline = timeline }

    var now: Duration { timeline.now }

    func violation(_ invariant: String, _ text: String, _ about: String) {
        note("VIOLATION \(invariant) \(text) [\(about)]")
        violations.append(Violation(invariant: invariant, text: text, about: about, at: now))
    }

    func expect(_ holds: Bool, _ invariant: String, _ about: String, _ text: @autoclosure () -> String) {
        checks += 1
        if !holds { violation(invariant, text(), about) }
    }

    func ledger(_ uid: String) -> PodLedger? { ledgers[uid] }

    func becomeCalm() {
        isCalm = true
        calmSince = now
    }

    // MARK: What users ask

    func desired(_ pod: Pod) {
        let uid = pod.metadata.uid ?? ""
        if ledgers[uid] == nil { ledgers[uid] = PodLedger(pod, at: now) }
        // A static pod's definition that comes back is the same pod.
        if pod.isStatic, let ledger = ledgers[uid] {
            ledger.hasComeBack = ledger.removedAt != nil
            if ledger.hasComeBack { ledger.cameBackAt = now }
            ledger.removedAt = nil
            ledger.deletionToldAt = nil
            ledger.graces = []
            ledger.isOrphan = false
        }
    }

    func edited(_ pod: Pod) {
        guard let ledger = ledgers[pod.metadata.uid ?? ""] else { return }
        ledger.pod.spec = pod.spec
        for container in ledger.containers where ledger.images[container.name]?.last?.image != container.image {
            ledger.images[container.name, default: []].append((container.image ?? "", now))
        }
    }

    func deletionAsked(_ pod: Pod, grace: Int64) {
        guard let ledger = ledgers[pod.metadata.uid ?? ""] else { return }
        ledger.deletionAskedAt = ledger.deletionAskedAt ?? now
        ledger.graces.append((grace, now))
    }

    func removed(_ pod: Pod, byAgent: Bool) {
        let uid = pod.metadata.uid ?? ""
        guard let ledger = ledgers[uid], ledger.removedAt == nil else { return }
        ledger.removedAt = now
        ledger.removedByAgent = byAgent
        if !byAgent { ledger.graces.append((pod.isStatic ? ledger.grace : 1, now)) }
        guard byAgent, let machine else { return }
        let held = machine.remains(ofPod: uid).filter {
            ["process", "namespaces", "address", "cgroup", "mount"].contains($0)
        }
        expect(held.isEmpty, "I8", uid, "removed from the API while there is still: \(held.joined(separator: ", "))")
        expect(ledger.deletionAskedAt != nil, "I8", uid, "removed by the agent though nobody asked")
    }

    /// A version of the pod has reached the agent.
    func told(_ pod: Pod, incarnation: Int, isDeleted: Bool = false) {
        guard incarnation == agentNumber, let ledger = ledgers[pod.metadata.uid ?? ""] else { return }
        if isDeleted { ledger.toldGraces.append((1, now)) }
        if !isDeleted, let grace = pod.metadata.deletionGracePeriodSeconds { ledger.toldGraces.append((grace, now)) }
        if isDeleted || pod.metadata.deletionTimestamp != nil { ledger.deletionToldAt = ledger.deletionToldAt ?? now }
    }

    // MARK: The agent's lives

    func agentStarts(_ number: Int) {
        agentNumber = number
        agentStartedAt = now
        (agentStoppingAt, agentGoneAt) = (nil, nil)
        for ledger in ledgers.values {
            ledger.deletionToldAt = nil
            ledger.toldGraces = []
            ledger.isOrphan = ledger.removedAt != nil
            // All that is known of it is its name: it gets the shortest grace there is.
            if ledger.isOrphan { ledger.graces.append((1, now)) }
        }
    }

    func agentStops() { agentStoppingAt = now }

    func agentIsGone() { (agentStoppingAt, agentGoneAt) = (nil, now) }

    func rebooted() {
        for ledger in ledgers.values {
            ledger.rebootedAt = now
            for status in (ledger.status?.containerStatuses ?? []) where status.state?.terminated?.exitCode == 0 {
                ledger.doneBeforeReboot.insert(status.name)
            }
        }
    }

    func lost(_ instance: SimulatedMachine.Instance) {
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id) else { return }
        if ledger.runs[index].exit == nil {
            ledger.runs[index].exit = SimulatedMachine.ExitRecord(
                code: 137, reason: "ContainerStatusUnknown", at: now, wall: Timestamp(seconds: 0), ran: true)
        }
        ledger.runs[index].isLost = true
    }

    /// A container is about to be made.
    func tried(_ container: String, of uid: String) { ledgers[uid]?.tries[container, default: 0] += 1 }

    /// Made and not released when its agent died: as if it had never been.
    func neverRan(_ instance: SimulatedMachine.Instance) {}
}
