import KubernetesAPI
import LinuxKernel
import Testing

@testable import NodeAgent

@Suite("Changing the resources of a running pod")
struct ResizePlannerTests {
    private let values = PodResources(
        policy: ResourcePolicy(podPidsLimit: nil, killsWholeContainer: false),
        machine: MachineResources(memoryBytes: 8 << 30))

    private func resources(cpu: Int64? = nil, memory: Int64? = nil) -> ResourceRequirements {
        var amounts: [String: Quantity] = [:]
        if let cpu { amounts["cpu"] = .milli(cpu) }
        if let memory { amounts["memory"] = .bytes(memory << 20) }
        return ResourceRequirements(limits: amounts, requests: amounts)
    }

    private func pod(_ resources: (String, ResourceRequirements)...) -> Pod {
        let containers = resources.map { name, resources in
            var container = Container(name: name)
            container.resources = resources
            return container
        }
        return Pod(metadata: ObjectMeta(name: "p", uid: "u"), spec: PodSpec(containers: containers))
    }

    /// Running instances that were allocated what the pod says and have what is given here.
    private func observation(_ pod: Pod, applied: [String: ResourceRequirements]) -> PodObservation {
        PodObservation(
            sandboxID: "s",
            containers: pod.spec.containers.map { container in
                ContainerObservation(
                    id: container.name + "-0", sandboxID: "s", name: container.name, attempt: 0,
                    definitionHash: container.definitionHash, state: .running(startedAt: Timestamp(seconds: 1)),
                    allocatedResources: container.resources, appliedResources: applied[container.name])
            })
    }

    @Test("nothing is written when everything has what it is due")
    func nothing() {
        let pod = pod(("a", resources(cpu: 100, memory: 64)))
        let observation = observation(pod, applied: ["a": resources(cpu: 100, memory: 64)])
        #expect(ResizePlanner.steps(for: pod, observation, values).isEmpty)
    }

    @Test("the pod is widened before its containers and narrowed after them, those that give up something come first")
    func order() {
        let pod = pod(
            ("grows", resources(cpu: 300, memory: 300)), ("shrinks", resources(cpu: 100, memory: 50)),
            ("stays", resources(cpu: 100, memory: 10)))
        let observation = observation(
            pod,
            applied: [
                "grows": resources(cpu: 200, memory: 100), "shrinks": resources(cpu: 400, memory: 150),
                "stays": resources(cpu: 100, memory: 10),
            ])
        let steps = ResizePlanner.steps(for: pod, observation, values)
        // Before: 700 m and 260 Mi; after: 500 m and 360 Mi.
        #expect(
            steps == [
                .pod(CgroupResources(cpuShares: 716, cpuQuotaMicroseconds: 70_000, memoryLimitBytes: 360 << 20)),
                .container(
                    "shrinks",
                    CgroupResources(cpuShares: 102, cpuQuotaMicroseconds: 10_000, memoryLimitBytes: 50 << 20)),
                .container(
                    "grows",
                    CgroupResources(cpuShares: 307, cpuQuotaMicroseconds: 30_000, memoryLimitBytes: 300 << 20)),
                .pod(CgroupResources(cpuShares: 512, cpuQuotaMicroseconds: 50_000, memoryLimitBytes: 360 << 20)),
            ])
    }

    @Test("a limit that a pod did not have before is set only at the end")
    func newLimit() {
        let request = ResourceRequirements(requests: ["cpu": .milli(100)])
        let pod = pod(("a", resources(cpu: 100)))
        let steps = ResizePlanner.steps(for: pod, observation(pod, applied: ["a": request]), values)
        #expect(
            steps == [
                .pod(CgroupResources(cpuShares: 102, cpuQuotaMicroseconds: -1)),
                .container("a", CgroupResources(cpuShares: 102, cpuQuotaMicroseconds: 10_000)),
                .pod(CgroupResources(cpuShares: 102, cpuQuotaMicroseconds: 10_000)),
            ])
    }

    @Test("a container with a policy of restarting is ended instead, if it is about that resource")
    func restartPolicy() {
        var pod = pod(("a", resources(cpu: 100, memory: 64)))
        pod.spec.containers[0].resizePolicy = [
            ContainerResizePolicy(resourceName: "memory", restartPolicy: "RestartContainer"),
            ContainerResizePolicy(resourceName: "cpu", restartPolicy: "NotRequired"),
        ]
        let memory = observation(pod, applied: ["a": resources(cpu: 100, memory: 32)])
        #expect(ResizePlanner.needsRestart(pod.spec.containers[0], memory.containers[0]))
        #expect(ResizePlanner.steps(for: pod, memory, values).isEmpty)
        let plan = PodReconciler.plan(pod, observed: memory, now: .zero)
        #expect(
            plan.actions == [.kill(containerID: "a-0", container: "a", reason: .resized, gracePeriodSeconds: nil)])
        let cpu = observation(pod, applied: ["a": resources(cpu: 50, memory: 64)])
        #expect(!ResizePlanner.needsRestart(pod.spec.containers[0], cpu.containers[0]))
        #expect(PodReconciler.plan(pod, observed: cpu, now: .zero).actions.isEmpty)
    }

    @Test("one that was ended for its resources starts again, even if it ended well in a pod that restarts on failure")
    func restartsAfterKill() {
        var pod = pod(("a", resources(cpu: 100, memory: 64)))
        pod.spec.restartPolicy = "OnFailure"
        pod.spec.containers[0].resizePolicy = [
            ContainerResizePolicy(resourceName: "memory", restartPolicy: "RestartContainer")
        ]
        var observation = observation(pod, applied: ["a": resources(cpu: 100, memory: 32)])
        observation.containers[0].state = .exited(ContainerStateTerminated(exitCode: 0))
        #expect(
            PodReconciler.plan(pod, observed: observation, now: .zero).actions == [.start(container: "a", attempt: 1)])
        observation.containers[0].appliedResources = observation.containers[0].allocatedResources
        #expect(PodReconciler.plan(pod, observed: observation, now: .zero).isFinished)
    }

    @Test("what is not known of a container made by an older agent changes nothing")
    func unknown() {
        let pod = pod(("a", resources(cpu: 100)))
        var observation = observation(pod, applied: [:])
        observation.containers[0].allocatedResources = nil
        #expect(ResizePlanner.steps(for: pod, observation, values).isEmpty)
    }

    @Test("the conditions say what is pending and what is under way, and go when there is nothing to say")
    func conditions() {
        let pod = pod(("a", resources(cpu: 100)))
        let observation = observation(pod, applied: ["a": resources(cpu: 100)])
        var resize = PodResize()
        func status(_ before: PodStatus? = nil) -> PodStatus {
            var known = pod
            known.status = before
            return PodStatusBuilder.build(
                PodStatusBuilder.Input(
                    pod: known, observation: observation, resize: resize, now: Timestamp(seconds: 5)))
        }
        #expect(status().condition(.podResizePending) == nil)
        #expect(resize.take(.deferred("no room"))?.reason == "ResizeDeferred")
        #expect(resize.take(.deferred("still no room")) == nil)
        resize.isInProgress = true
        resize.failure = "below usage"
        let told = status()
        #expect(told.condition(.podResizePending)?.reason == "Deferred")
        #expect(told.condition(.podResizePending)?.message == "still no room")
        #expect(told.condition(.podResizeInProgress)?.reason == "Error")
        #expect(told.condition(.podResizeInProgress)?.message == "below usage")
        _ = resize.take(.granted)
        resize.isInProgress = false
        let after = status(told)
        #expect(after.condition(.podResizePending) == nil)
        #expect(after.condition(.podResizeInProgress) == nil)
    }

    @Test("a status says what was promised, and what of it is in force")
    func reported() throws {
        let pod = pod(("a", resources(cpu: 300)))
        let observation = observation(pod, applied: ["a": resources(cpu: 100)])
        let status = PodStatusBuilder.build(
            PodStatusBuilder.Input(pod: pod, observation: observation, now: Timestamp(seconds: 5)))
        let container = try #require(status.containerStatuses?.first)
        #expect(container.allocatedResources == ["cpu": .milli(300)])
        #expect(container.resources == resources(cpu: 100))
    }
}
