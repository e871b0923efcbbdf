import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What a node is short of, as it is told")
struct NodePressuresTests {
    @Test("taints follow the conditions, others' taints stay, and the list is the one that was read")
    func taints() {
        var node = Node(metadata: ObjectMeta(name: "n", resourceVersion: "7"))
        #expect(PressureTaints.patch(node, []) == nil)
        node.spec.taints = [Taint(key: "mine", value: "v", effect: "NoExecute")]
        #expect(
            PressureTaints.patch(node, [.disk]) == [
                "metadata": ["resourceVersion": "7"],
                "spec": [
                    "taints": [
                        ["key": "mine", "value": "v", "effect": "NoExecute"],
                        ["key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"],
                    ]
                ],
            ])
        node.spec.taints?.append(Taint(key: "node.kubernetes.io/disk-pressure", effect: "NoSchedule"))
        #expect(PressureTaints.patch(node, [.disk]) == nil)
        #expect(
            PressureTaints.patch(node, []) == [
                "metadata": ["resourceVersion": "7"],
                "spec": ["taints": [["key": "mine", "value": "v", "effect": "NoExecute"]]],
            ])
    }

    @Test("a condition tells which threshold was met, also while it is only held")
    func messages() async {
        let pressures = NodePressures()
        let shortage = EvictionDecision.Shortage(
            threshold: EvictionThreshold(.nodefsInodesFree, .share(0.05)),
            observation: EvictionObservation(available: 1, capacity: 1000))
        #expect(
            pressures.update(EvictionDecision.Outcome(conditions: [.disk], reclaim: nil, shortages: [shortage])))
        #expect(!pressures.update(EvictionDecision.Outcome(conditions: [.disk], reclaim: nil, shortages: [])))
        #expect(pressures.current == [.disk])
        #expect(
            await pressures.nodeProblems() == [
                NodeProblem(
                    condition: .diskPressure, message: "kubelet has disk pressure: nodefs.inodesFree<5%")
            ])
        #expect(pressures.update(EvictionDecision.Outcome(conditions: [], reclaim: nil, shortages: [])))
        #expect(await pressures.nodeProblems() == [])
    }

    @Test(
        "only the machine's own shortage is one",
        arguments: [
            ("3,1,2,-;Out of memory: Killed process 42 (stress (x)) total-vm:1kB, anon-rss:1kB", "stress (x)", 42),
            ("3,1,2,c;Out of memory: Killed process 7 (a) b) total-vm:1kB\n SUBSYSTEM=x", "a) b", 7),
        ])
    func outOfMemory(record: String, process: String, pid: Int32) {
        #expect(OutOfMemoryEvents.parse(record) == OutOfMemoryEvents.Kill(process: process, pid: pid))
        let own = record.replacing("Out of memory", with: "Memory cgroup out of memory")
        #expect(OutOfMemoryEvents.parse(own) == nil)
        #expect(OutOfMemoryEvents.parse("6,1,2,-;something else") == nil)
        #expect(OutOfMemoryEvents.parse("") == nil)
    }
}
