import KubernetesAPI
import LinuxKernel
import Testing

@testable import NodeAgent

@Suite("From resource requirements to cgroup values")
struct PodResourcesTests {
    private static let gibibyte: Int64 = 1 << 30

    private func values(
        _ policy: ResourcePolicy = ResourcePolicy(), memory: Int64 = 8 << 30, swap: Int64 = 0,
        hugePages: [HugePagePool] = []
    ) -> PodResources {
        PodResources(
            policy: policy,
            machine: MachineResources(
                memoryBytes: memory, swapBytes: swap, allocatableMemoryBytes: 4 << 30, hugePages: hugePages))
    }

    private func container(
        _ name: String = "main", requests: [String: Quantity]? = nil, limits: [String: Quantity]? = nil
    ) -> Container {
        var container = Container(name: name)
        container.resources = ResourceRequirements(limits: limits, requests: requests)
        return container
    }

    private func pod(_ containers: Container..., initContainers: [Container]? = nil) -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: "p", uid: "u"), spec: PodSpec(containers: containers))
        pod.spec.initContainers = initContainers
        // As the API server stores it.
        pod.spec.applyResourceDefaults()
        return pod
    }

    @Test("shares follow the request, the quota and memory the limit, and the whole container dies of want of memory")
    func plainContainer() {
        let container = container(
            requests: ["cpu": .milli(250), "memory": .bytes(64 << 20)],
            limits: ["cpu": .milli(500), "memory": .bytes(128 << 20)])
        let values = values().container(container, of: pod(container))
        // 250 * 1024 / 1000, 500 * 100000 / 1000.
        #expect(values.cpuShares == 256)
        #expect(values.cpuQuotaMicroseconds == 50_000)
        #expect(values.memoryLimitBytes == 128 << 20)
        #expect(values.oomGroup)
        #expect(values.pidsLimit == 4096)
        #expect(values.memorySwapLimitBytes == nil)
        #expect(values.memoryHighBytes == nil)
    }

    @Test("a limit stands in for a missing request, and nothing at all gets the least there is")
    func withoutRequest() {
        let limited = container(limits: ["cpu": .cores(2)])
        #expect(values().container(limited, of: pod(limited)).cpuShares == 2048)
        let nothing = container()
        let least = values().container(nothing, of: pod(nothing))
        #expect(least.cpuShares == 2)
        #expect(least.cpuQuotaMicroseconds == nil)
        #expect(least.memoryLimitBytes == nil)
    }

    @Test("without enforcement of CPU limits there is no quota, neither for the container nor for the pod")
    func withoutQuota() {
        let container = container(limits: ["cpu": .cores(1), "memory": .bytes(1 << 20)])
        let values = values(ResourcePolicy(enforcesCPULimits: false))
        #expect(values.container(container, of: pod(container)).cpuQuotaMicroseconds == nil)
        #expect(values.pod(pod(container)).cpuQuotaMicroseconds == nil)
        #expect(values.pod(pod(container)).memoryLimitBytes == 1 << 20)
    }

    @Test("a pod has the sum of its containers, or what its largest init container needs")
    func podSums() {
        let pod = pod(
            container("a", requests: ["cpu": .milli(100)], limits: ["cpu": .milli(200), "memory": .bytes(10 << 20)]),
            container("b", requests: ["cpu": .milli(300)], limits: ["cpu": .milli(400), "memory": .bytes(20 << 20)]),
            initContainers: [
                container("i", requests: ["cpu": .cores(1)], limits: ["cpu": .cores(1), "memory": .bytes(8 << 20)])
            ])
        let values = values().pod(pod)
        // max(100 + 300, 1000) * 1024 / 1000
        #expect(values.cpuShares == 1024)
        // max(200 + 400, 1000) m of 100 ms
        #expect(values.cpuQuotaMicroseconds == 100_000)
        #expect(values.memoryLimitBytes == 30 << 20)
    }

    @Test("a pod of which one container has no limit has none itself")
    func partlyLimited() {
        let pod = pod(
            container("a", limits: ["cpu": .milli(200), "memory": .bytes(10 << 20)]),
            container("b", limits: ["memory": .bytes(20 << 20)]))
        let values = values().pod(pod)
        #expect(values.cpuQuotaMicroseconds == nil)
        #expect(values.memoryLimitBytes == 30 << 20)
    }

    @Test("the overhead widens requests, and limits that are there")
    func overhead() {
        var limited = pod(container(limits: ["cpu": .milli(500), "memory": .bytes(100 << 20)]))
        limited.spec.overhead = ["cpu": .milli(500), "memory": .bytes(20 << 20)]
        let values = values().pod(limited)
        #expect(values.cpuShares == 1024)
        #expect(values.cpuQuotaMicroseconds == 100_000)
        #expect(values.memoryLimitBytes == 120 << 20)
    }

    @Test("a limit of the pod binds the pod, and the containers that have none of their own")
    func podLevel() {
        let (own, none) = (container("a", limits: ["memory": .bytes(64 << 20)]), container("b"))
        var pod = pod(own, none)
        pod.spec.resources = ResourceRequirements(
            limits: ["cpu": .cores(1), "memory": .bytes(256 << 20)], requests: ["cpu": .milli(500)])
        #expect(values().pod(pod).memoryLimitBytes == 256 << 20)
        #expect(values().pod(pod).cpuShares == 512)
        #expect(values().pod(pod).cpuQuotaMicroseconds == 100_000)
        #expect(values().container(own, of: pod).memoryLimitBytes == 64 << 20)
        #expect(values().container(none, of: pod).memoryLimitBytes == 256 << 20)
        #expect(values().container(none, of: pod).cpuQuotaMicroseconds == 100_000)
    }

    // MARK: Swap

    @Test("on a machine with swap a container gets none of it, also without a memory limit")
    func noSwap() {
        let container = container()
        #expect(values(swap: Self.gibibyte).container(container, of: pod(container)).memorySwapLimitBytes == 0)
    }

    @Test(
        "limited swap is the share of the memory, for Burstable containers whose limit is above the request"
    )
    func limitedSwap() {
        let values = values(ResourcePolicy(swap: .limitedSwap), memory: 8 << 30, swap: 4 << 30)
        let burstable = container(requests: ["memory": .bytes(2 << 30)], limits: ["memory": .bytes(3 << 30)])
        // 2 of 8 GiB, so a quarter of 4 GiB.
        #expect(values.container(burstable, of: pod(burstable)).memorySwapLimitBytes == Self.gibibyte)
        let equal = container(requests: ["memory": .bytes(2 << 30)], limits: ["memory": .bytes(2 << 30)])
        #expect(values.container(equal, of: pod(equal)).memorySwapLimitBytes == 0)
        let guaranteed = container(limits: ["cpu": .cores(1), "memory": .bytes(2 << 30)])
        #expect(values.container(guaranteed, of: pod(guaranteed)).memorySwapLimitBytes == 0)
        let bestEffort = container()
        #expect(values.container(bestEffort, of: pod(bestEffort)).memorySwapLimitBytes == 0)
        var critical = pod(burstable)
        critical.spec.priority = 2_000_000_000
        #expect(values.container(burstable, of: critical).memorySwapLimitBytes == 0)
        // The pod itself leaves it to its containers.
        #expect(values.pod(pod(burstable)).memorySwapLimitBytes == -1)
    }

    // MARK: Memory beside its limit

    @Test("memory.high is nine tenths of the way from request to limit, or to what all pods may use, in whole pages")
    func memoryHigh() {
        let values = values(ResourcePolicy(memoryQuality: .init()))
        let limited = container(requests: ["memory": .bytes(100 << 20)], limits: ["memory": .bytes(200 << 20)])
        // 100 Mi + 0.9 * 100 Mi = 190 Mi, which is whole pages.
        #expect(values.container(limited, of: pod(limited)).memoryHighBytes == 190 << 20)
        let odd = container(requests: ["memory": .bytes(1_000_000)], limits: ["memory": .bytes(2_000_000)])
        // 1900000 / 4096 = 463.9
        #expect(values.container(odd, of: pod(odd)).memoryHighBytes == Int64(463 * 4096))
        let open = container(requests: ["memory": .bytes(0)])
        // 0.9 * 4 GiB = 3865470566.4; / 4096 = 943718.4
        #expect(values.container(open, of: pod(open)).memoryHighBytes == Int64(943_718 * 4096))
        let guaranteed = container(limits: ["cpu": .cores(1), "memory": .bytes(1 << 30)])
        #expect(values.container(guaranteed, of: pod(guaranteed)).memoryHighBytes == nil)
        #expect(values.container(limited, of: pod(limited)).memoryLowBytes == nil)
    }

    @Test("reserved memory is protected for Guaranteed pods, and as far as possible for Burstable ones")
    func reservedMemory() {
        let values = values(ResourcePolicy(memoryQuality: .init(reservesMemory: true)))
        let guaranteed = container(limits: ["cpu": .cores(1), "memory": .bytes(1 << 30)])
        #expect(values.container(guaranteed, of: pod(guaranteed)).memoryMinBytes == 1 << 30)
        #expect(values.pod(pod(guaranteed)).memoryMinBytes == 1 << 30)
        let burstable = container(requests: ["memory": .bytes(1 << 20)])
        #expect(values.container(burstable, of: pod(burstable)).memoryLowBytes == 1 << 20)
        #expect(values.container(burstable, of: pod(burstable)).memoryMinBytes == nil)
        #expect(values.pod(pod(burstable)).memoryLowBytes == 1 << 20)
    }

    // MARK: Huge pages

    @Test("huge pages that were not asked for are forbidden where there are any")
    func hugePages() {
        let pools = [
            HugePagePool(pageBytes: 2 << 20, pageCount: 16), HugePagePool(pageBytes: 1 << 30, pageCount: 2),
            HugePagePool(pageBytes: 64 << 10, pageCount: 0),
        ]
        let container = container(limits: ["memory": .bytes(1 << 20), "hugepages-2Mi": .bytes(4 << 20)])
        let values = values(hugePages: pools)
        #expect(values.container(container, of: pod(container)).hugePageLimits == ["2MB": 4 << 20, "1GB": 0])
        #expect(values.pod(pod(container)).hugePageLimits == ["2MB": 4 << 20, "1GB": 0])
    }
}
