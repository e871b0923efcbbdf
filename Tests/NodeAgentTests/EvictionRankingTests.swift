import KubernetesAPI
import LinuxKernel
import Testing

@testable import NodeAgent

@Suite("Who is evicted, and with which words")
struct EvictionRankingTests {
    private static func pod(
        _ name: String, priority: Int32? = nil, requests: [String: Quantity] = [:], limits: [String: Quantity] = [:],
        volumes: [Volume]? = nil
    ) -> Pod {
        var container = Container(name: "main")
        if !requests.isEmpty || !limits.isEmpty {
            container.resources = ResourceRequirements(limits: limits, requests: requests)
        }
        var pod = Pod(metadata: ObjectMeta(name: name, namespace: "default", uid: name))
        pod.spec.containers = [container]
        pod.spec.priority = priority
        pod.spec.volumes = volumes
        return pod
    }

    private static func candidate(
        _ name: String, memory: Int64?, request: Int64 = 0, priority: Int32? = nil, processes: Int64? = nil
    ) -> EvictionCandidate {
        let requests: [String: Quantity] = request > 0 ? ["memory": .bytes(request)] : [:]
        return EvictionCandidate(
            pod: pod(name, priority: priority, requests: requests), memoryBytes: memory, processes: processes,
            containerMemoryBytes: memory.map { ["main": $0] } ?? [:])
    }

    private static func order(_ candidates: [EvictionCandidate], _ signal: EvictionSignal) -> [String] {
        EvictionRanking.order(candidates, for: signal).map { $0.pod.metadata.name ?? "" }
    }

    @Test("over its request, then lower priority, then more over its request")
    func memory() {
        let candidates = [
            Self.candidate("within-high", memory: 900, request: 1000, priority: 10),
            Self.candidate("within-low", memory: 10, request: 1000),
            Self.candidate("within-low-near", memory: 990, request: 1000),
            Self.candidate("over-high", memory: 5000, request: 100, priority: 10),
            Self.candidate("over-little", memory: 600, request: 500),
            Self.candidate("over-much", memory: 400, request: 100),
            Self.candidate("best-effort", memory: 250),
            Self.candidate("exactly", memory: 100, request: 100),
        ]
        #expect(
            Self.order(candidates, .memoryAvailable) == [
                // 300, 250 and 100 over what was promised
                "over-much", "best-effort", "over-little", "over-high",
                // 0, 10 and 990 below it
                "exactly", "within-low-near", "within-low", "within-high",
            ])
    }

    @Test("a pod of which nothing is known goes first; equals keep their order")
    func unknown() {
        let candidates = [
            Self.candidate("a", memory: 5), Self.candidate("b", memory: 5),
            Self.candidate("unknown", memory: nil, priority: 100),
        ]
        #expect(Self.order(candidates, .memoryAvailable) == ["unknown", "a", "b"])
    }

    @Test("for process ids only priority and their number count")
    func processes() {
        let candidates = [
            Self.candidate("few", memory: 1, processes: 3),
            Self.candidate("many-high", memory: 1, priority: 5, processes: 900),
            Self.candidate("many", memory: 1, request: 10, processes: 30),
        ]
        #expect(Self.order(candidates, .pidAvailable) == ["many", "few", "many-high"])
    }

    @Test("inodes are nobody's request: who has most goes first within a priority")
    func inodes() {
        func candidate(_ name: String, _ inodes: UInt64) -> EvictionCandidate {
            EvictionCandidate(
                pod: Self.pod(name), disk: EphemeralStorageUsage(files: DiskUsage(bytes: 0, inodes: inodes)))
        }
        #expect(Self.order([candidate("few", 10), candidate("many", 99)], .nodefsInodesFree) == ["many", "few"])
    }

    @Test("the words of a status name the threshold, what was left and who used more than its share")
    func words() {
        let candidate = Self.candidate("hog", memory: 300 << 20, request: 100 << 20)
        let shortage = EvictionDecision.Shortage(
            threshold: EvictionThreshold(.memoryAvailable, .quantity(.bytes(100 << 20))),
            observation: EvictionObservation(available: 98_304 * 1024, capacity: 1 << 34))
        let eviction = Eviction(candidate, for: shortage)
        #expect(
            eviction.message
                == "The node was low on resource: memory. Threshold quantity: 100Mi, available: 96Mi. "
                + "Container main was using 300Mi, request is 100Mi, has larger consumption of memory. ")
        #expect(
            eviction.annotations == [
                "offending_containers": "main", "offending_containers_usage": "300Mi", "starved_resource": "memory",
            ])
        #expect(eviction.signal == "memory.available")
    }

    @Test("a share is told as an amount; a pod within its request is not called an offender")
    func share() {
        let candidate = EvictionCandidate(
            pod: Self.pod("p", requests: ["ephemeral-storage": .bytes(1 << 30)]),
            disk: EphemeralStorageUsage(containers: ["main": .init(writableLayer: DiskUsage(bytes: 4096, inodes: 1))]))
        let shortage = EvictionDecision.Shortage(
            threshold: EvictionThreshold(.nodefsAvailable, .share(0.5)),
            observation: EvictionObservation(available: 1024, capacity: 1 << 20))
        let eviction = Eviction(candidate, for: shortage)
        #expect(
            eviction.message
                == "The node was low on resource: ephemeral-storage. Threshold quantity: 512Ki, available: 1Ki. ")
        #expect(eviction.annotations["offending_containers"] == "")
    }

    // MARK: Limits of local storage

    private static func usage(layer: UInt64 = 0, logs: UInt64 = 0, volume: UInt64 = 0, files: UInt64 = 0)
        -> EphemeralStorageUsage
    {
        EphemeralStorageUsage(
            containers: [
                "main": .init(writableLayer: DiskUsage(bytes: layer), logs: DiskUsage(bytes: logs))
            ], volumes: ["data": DiskUsage(bytes: volume)], files: DiskUsage(bytes: files))
    }

    private static func limited(volume: Int64? = nil, container: Int64? = nil) -> Pod {
        pod(
            "p", limits: container.map { ["ephemeral-storage": .bytes($0)] } ?? [:],
            volumes: [Volume(name: "data", emptyDir: EmptyDirVolumeSource(sizeLimit: volume.map { .bytes($0) }))])
    }

    @Test("an emptyDir counts against its own limit")
    func emptyDirectory() {
        let pod = Self.limited(volume: 1 << 20)
        #expect(Eviction.hasStorageLimit(pod))
        #expect(Eviction.forStorage(of: pod, Self.usage(layer: 1 << 30, volume: 1 << 20)) == nil)
        let eviction = Eviction.forStorage(of: pod, Self.usage(volume: (1 << 20) + 1))
        #expect(eviction?.message == "Usage of EmptyDir volume \"data\" exceeds the limit \"1Mi\". ")
        #expect(eviction?.signal == "emptydirfs.limit")
    }

    @Test("everything a pod stores counts against the sum of its containers' limits, what one writes against its own")
    func ephemeralStorage() {
        let pod = Self.limited(container: 1 << 20)
        #expect(Eviction.forStorage(of: pod, Self.usage(layer: 1 << 19, logs: 1 << 19)) == nil)
        for usage in [
            Self.usage(layer: 1 << 19, logs: 1 << 19, volume: 1), Self.usage(layer: 1 << 20, files: 4096),
        ] {
            #expect(
                Eviction.forStorage(of: pod, usage)?.message
                    == "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ")
        }
        var two = pod
        var other = Container(name: "other")
        other.resources = ResourceRequirements(limits: ["ephemeral-storage": .bytes(1 << 30)])
        two.spec.containers.append(other)
        let eviction = Eviction.forStorage(of: two, Self.usage(layer: 1 << 19, logs: (1 << 19) + 1))
        #expect(eviction?.message == "Container main exceeded its local ephemeral storage limit \"1Mi\". ")
        #expect(eviction?.signal == "ephemeralcontainerfs.limit")
    }

    @Test("a pod without limits is not watched")
    func unlimited() {
        #expect(!Eviction.hasStorageLimit(Self.limited()))
        #expect(Eviction.forStorage(of: Self.limited(), Self.usage(layer: 1 << 40, volume: 1 << 40)) == nil)
    }
}
