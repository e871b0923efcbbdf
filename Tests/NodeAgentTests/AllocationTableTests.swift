import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What the node has promised to whom")
struct AllocationTableTests {
    private let node: [String: Quantity] = ["cpu": .cores(2), "memory": .bytes(1 << 30), "pods": .count(10)]

    private func pod(_ uid: String, cpu: Int64, memory: Int64 = 1, priority: Int32? = nil, limited: Bool = false) -> Pod
    {
        var container = Container(name: "a")
        let amounts: [String: Quantity] = ["cpu": .milli(cpu), "memory": .bytes(memory << 20)]
        container.resources = ResourceRequirements(limits: limited ? amounts : nil, requests: amounts)
        var pod = Pod(metadata: ObjectMeta(name: uid, uid: uid), spec: PodSpec(containers: [container]))
        pod.spec.priority = priority
        return pod
    }

    private func holding(_ pods: Pod..., policy: ResourcePolicy = ResourcePolicy()) -> AllocationTable {
        var table = AllocationTable(policy: policy)
        for pod in pods { table.add(pod) }
        table.open()
        return table
    }

    @Test("what fits is granted and taken")
    func granted() {
        var table = holding(pod("one", cpu: 500), pod("two", cpu: 500))
        let first = table.request(pod("one", cpu: 1500), allocatable: node)
        #expect(first == .granted)
        #expect(table.pods.map { $0.spec.totalRequests["cpu"]?.milliValue ?? 0 }.sorted() == [500, 1500])
    }

    @Test("what fits only without the others is deferred, what never fits is infeasible")
    func refused() {
        var table = holding(pod("one", cpu: 500), pod("two", cpu: 1000))
        let first = table.request(pod("one", cpu: 1500), allocatable: node)
        #expect(
            first
                == .deferred("Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"))
        let second = table.request(pod("one", cpu: 2001), allocatable: node)
        #expect(
            second
                == .infeasible("Node didn't have enough capacity: cpu, requested: 2001, capacity: 2000"))
        let third = table.request(pod("one", cpu: 500, memory: 2000), allocatable: node)
        #expect(
            third
                == .infeasible(
                    "Node didn't have enough capacity: memory, requested: 2097152000, capacity: 1073741824"))
        // What it holds has not changed.
        let fourth = table.request(pod("two", cpu: 1500), allocatable: node)
        #expect(fourth == .granted)
    }

    @Test("less is granted on a node that is overfull")
    func shrinks() {
        var table = holding(pod("one", cpu: 1500), pod("two", cpu: 1500))
        let first = table.request(pod("one", cpu: 1400), allocatable: node)
        #expect(first == .granted)
    }

    @Test("who waits is served when another one goes or gives up something, the highest priority first")
    func order() {
        var table = holding(
            pod("big", cpu: 1000), pod("low", cpu: 100, priority: 1), pod("high", cpu: 100, priority: 9))
        for (uid, priority) in [("low", Int32(1)), ("high", 9)] {
            let verdict = table.request(pod(uid, cpu: 1000, priority: priority), allocatable: node)
            guard case .deferred = verdict else {
                Issue.record("\(uid): \(verdict)")
                return
            }
        }
        let isFreed = table.remove("big")
        #expect(isFreed)
        let told = Set(table.review(allocatable: node))
        #expect(told == ["high", "low"])
        // High has 1000 of 2000 now, and low, with 100, could have its 1000 too.
        let first = table.request(pod("high", cpu: 1000, priority: 9), allocatable: node)
        #expect(first == .granted)
        let second = table.request(pod("low", cpu: 1000, priority: 1), allocatable: node)
        #expect(second == .granted)
    }

    @Test("among those who wait only the first in rank gets what is enough for one")
    func rank() {
        var table = holding(
            pod("big", cpu: 900), pod("low", cpu: 500, priority: 1), pod("high", cpu: 500, priority: 9))
        _ = table.request(pod("low", cpu: 1400, priority: 1), allocatable: node)
        _ = table.request(pod("high", cpu: 1400, priority: 9), allocatable: node)
        let isFreed = table.remove("big")
        #expect(isFreed)
        let told = table.review(allocatable: node)
        #expect(told.contains("high"))
        let first = table.request(pod("high", cpu: 1400, priority: 9), allocatable: node)
        #expect(first == .granted)
        guard case .deferred = table.request(pod("low", cpu: 1400, priority: 1), allocatable: node) else {
            Issue.record("the lower one was served too")
            return
        }
        table.withdraw("low")
        let freesNothing = !table.remove("unknown")
        #expect(freesNothing)
        let rest = table.review(allocatable: node)
        #expect(rest.isEmpty)
    }

    @Test("pods of files, other classes and pinned processors cannot be resized here")
    func never() {
        var fixed = pod("one", cpu: 500)
        fixed.metadata.annotations = [PodAnnotations.source: PodSource.file.rawValue]
        var wanted = pod("one", cpu: 600)
        wanted.metadata.annotations = fixed.metadata.annotations
        let policy = ResourcePolicy(pinsProcessors: true)
        func decide(_ pod: Pod, _ wanted: Pod, _ policy: ResourcePolicy = ResourcePolicy()) -> ResizeVerdict {
            ResizeAdmission.decide(pod, to: wanted, beside: [], allocatable: node, policy: policy)
        }
        #expect(decide(fixed, wanted) == .infeasible("In-place resize of static pods is not supported"))
        #expect(
            decide(pod("two", cpu: 500), pod("two", cpu: 500, limited: true))
                == .infeasible("The QoS class of a pod may not change"))
        let (pinned, more) = (pod("three", cpu: 1000, limited: true), pod("three", cpu: 2000, limited: true))
        #expect(
            decide(pinned, more, policy)
                == .infeasible("Resize is infeasible for Guaranteed Pods alongside CPU Manager static policy"))
        #expect(decide(pinned, more) == .granted)
        #expect(decide(pinned, pod("three", cpu: 1000, memory: 2, limited: true), policy) == .granted)
        #expect(
            decide(
                pod("four", cpu: 1), pod("four", cpu: 1, memory: 2),
                ResourcePolicy(swap: .limitedSwap))
                == .infeasible(
                    "In-place resize of containers with swap is not supported"))
    }
}
