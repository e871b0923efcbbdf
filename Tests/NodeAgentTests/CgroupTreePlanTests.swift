import KubernetesAPI
import LinuxKernel
import Testing

@testable import NodeAgent

@Suite("The cgroups above the pods")
struct CgroupTreePlanTests {
    private func pod(cpu: Quantity?, memory: Quantity? = nil, limited: Bool = false) -> Pod {
        var container = Container(name: "a")
        var amounts: [String: Quantity] = [:]
        amounts["cpu"] = cpu
        amounts["memory"] = memory
        container.resources = ResourceRequirements(
            limits: limited ? amounts : nil, requests: amounts.isEmpty ? nil : amounts)
        return Pod(metadata: ObjectMeta(name: "p", uid: "u"), spec: PodSpec(containers: [container]))
    }

    @Test("all pods together may use the machine less what is set aside, and what eviction keeps free too")
    func kubepods() {
        let values = CgroupTreePlan.kubepods(
            capacity: ["cpu": .cores(4), "memory": .bytes(8 << 30)], processes: 32768,
            reservation: NodeReservation(
                system: ["cpu": .milli(500), "memory": .bytes(1 << 30), "pid": .count(1000)],
                agent: ["cpu": .milli(500), "memory": .bytes(1 << 29)]))
        // 3000 m
        #expect(values.cpuShares == 3072)
        #expect(values.memoryLimitBytes == (8 << 30) - (1 << 30) - (1 << 29))
        #expect(values.pidsLimit == 31768)
        #expect(values.cpuQuotaMicroseconds == nil)
        #expect(values.memorySwapLimitBytes == -1)
    }

    @Test("more set aside than there is leaves the least, and no memory limit that would end everything")
    func overReserved() {
        let values = CgroupTreePlan.kubepods(
            capacity: ["cpu": .cores(1), "memory": .bytes(1 << 30)], processes: 10,
            reservation: NodeReservation(
                system: ["cpu": .cores(2), "memory": .bytes(2 << 30), "pid": .count(11)]))
        #expect(values.cpuShares == 2)
        #expect(values.memoryLimitBytes == nil)
        #expect(values.pidsLimit == 0)
    }

    @Test("Burstable pods share what they requested together, BestEffort ones have the least")
    func classes() {
        let pods = [
            pod(cpu: .milli(500)), pod(cpu: .milli(1500)), pod(cpu: nil),
            pod(cpu: .cores(1), memory: .bytes(1 << 20), limited: true),
        ]
        let classes = CgroupTreePlan.classes(of: pods, policy: ResourcePolicy())
        // 2000 m; the Guaranteed pod is not below the class.
        #expect(classes.burstable == CgroupResources(cpuShares: 2048))
        #expect(classes.bestEffort == CgroupResources(cpuShares: 2))
        #expect(classes.kubepods == nil)
        #expect(CgroupTreePlan.classes(of: [], policy: ResourcePolicy()).burstable.cpuShares == 2)
    }

    @Test("weights of disks are those of the settings, for classes and for Guaranteed pods beside them")
    func ioWeights() {
        var policy = ResourcePolicy()
        let guaranteed = pod(cpu: .cores(1), memory: .bytes(1 << 20), limited: true)
        func weight(of pod: Pod) -> UInt64? {
            PodResources(policy: policy, machine: MachineResources(memoryBytes: 1 << 30)).pod(pod).ioWeight
        }
        let unset = CgroupTreePlan.classes(of: [], policy: policy)
        #expect(unset.burstable.ioWeight == nil && unset.bestEffort.ioWeight == nil && weight(of: guaranteed) == nil)
        policy.ioWeights = .init(guaranteed: 300, burstable: 200, bestEffort: 10)
        let set = CgroupTreePlan.classes(of: [], policy: policy)
        #expect(set.burstable.ioWeight == 200 && set.bestEffort.ioWeight == 10)
        #expect(weight(of: guaranteed) == 300)
        #expect(weight(of: pod(cpu: .milli(500))) == nil, "its class has one")
    }

    @Test("reserved memory is reserved at every level above the pod")
    func reservedMemory() {
        let pods = [
            pod(cpu: .cores(1), memory: .bytes(3 << 20), limited: true), pod(cpu: nil, memory: .bytes(5 << 20)),
        ]
        let policy = ResourcePolicy(memoryQuality: .init(reservesMemory: true))
        let classes = CgroupTreePlan.classes(of: pods, policy: policy)
        #expect(classes.burstable.memoryLowBytes == 5 << 20)
        #expect(classes.kubepods?.memoryMinBytes == 3 << 20)
        #expect(classes.kubepods?.memoryLowBytes == 5 << 20)
    }

    @Test(
        "reservations are read as kubelet's flags are", arguments: ["cpu=500m,memory=1Gi,ephemeral-storage=2Gi,pid=100"]
    )
    func reservation(text: String) throws {
        let amounts = try NodeReservation.parse(text)
        #expect(
            amounts == [
                "cpu": .milli(500), "memory": .bytes(1 << 30), "ephemeral-storage": .bytes(2 << 30), "pid": .count(100),
            ])
        #expect(NodeReservation(system: amounts, agent: ["cpu": .milli(250)]).amount("cpu") == .milli(750))
    }

    @Test(
        "a reservation that cannot be read says what is wrong",
        arguments: [
            ("cpu", "\"cpu\" is no NAME=QUANTITY"), ("gpu=1", "\"gpu\" cannot be reserved"),
            ("cpu=-1", "cpu=-1 is no amount"), ("memory=much", "memory=much is no amount"),
            ("cpu=1,cpu=2", "cpu is given twice"),
        ])
    func badReservation(text: String, problem: String) {
        let error = #expect(throws: ReservationError.self) { try NodeReservation.parse(text) }
        #expect(error?.description.hasPrefix(problem) == true, "\(error?.description ?? "")")
    }
}
