import KubernetesAPI
import Testing

@Suite("Resource amounts")
struct ResourceAmountsTests {
    private func container(_ cpu: Int64, sidecar: Bool = false) -> Container {
        Container(
            name: "c", resources: ResourceRequirements(requests: ["cpu": .milli(cpu)]),
            restartPolicy: sidecar ? "Always" : nil)
    }

    private func cpu(_ spec: PodSpec) -> Int64 { ResourceAmounts(requestsOf: spec)["cpu"] }

    @Test("containers add up, plus the overhead")
    func sum() {
        #expect(cpu(PodSpec(containers: [container(100), container(250)], overhead: ["cpu": .milli(5)])) == 355)
    }

    @Test("init containers count by their peak, sidecars for as long as they run")
    func initContainers() {
        #expect(cpu(PodSpec(initContainers: [container(500), container(400)], containers: [container(100)])) == 500)
        #expect(
            cpu(PodSpec(initContainers: [container(50, sidecar: true), container(400)], containers: [container(100)]))
                == 450)
        #expect(
            cpu(PodSpec(initContainers: [container(400), container(50, sidecar: true)], containers: [container(380)]))
                == 430)
    }

    @Test("limits stand in for requests; requests of the pod as a whole stand above its containers'")
    func limitsAndPodLevel() {
        let limited = Container(name: "c", resources: ResourceRequirements(limits: ["cpu": .milli(70)]))
        #expect(cpu(PodSpec(containers: [limited])) == 70)
        #expect(
            cpu(
                PodSpec(
                    containers: [container(100)], resources: ResourceRequirements(requests: ["cpu": .milli(300)])))
                == 300)
    }
}
