import KubernetesAPI
import Testing

@Suite("Values kept apart")
struct IndirectTests {
    @Test("a copy that is written leaves the other as it was, however deep the write goes")
    func copies() {
        let first = Pod(metadata: ObjectMeta(name: "a"), spec: PodSpec(containers: [Container(name: "one")]))
        var second = first
        #expect(second == first)
        second.spec.containers[0].image = "new"
        #expect(first.spec.containers[0].image != "new")
        #expect(second != first)
        var third = second
        third.spec = first.spec
        #expect(third == first && third.hashValue == first.hashValue)
        #expect(second.spec.containers[0].image == "new")
    }

    @Test("a coder sees the value and nothing around it, and an absent one as nothing given")
    func coding() throws {
        let pod = Pod(metadata: ObjectMeta(name: "a"), spec: PodSpec(containers: [Container(name: "one")]))
        let value = try JSONValueEncoder().encode(pod)
        #expect(value["spec"]?["containers"]?.arrayValue?.first?["name"]?.stringValue == "one")
        #expect(try JSONValueDecoder().decode(Pod.self, from: value) == pod)
        let bare = try JSONValueDecoder().decode(
            Pod.self, from: JSONValue(parsing: Array(#"{"metadata":{"name":"b"}}"#.utf8)))
        #expect(bare.spec == PodSpec())
    }

    @Test("an optional one is a reference or nothing, and a write through it makes, changes and removes it")
    func optional() throws {
        let first = Container(name: "one", livenessProbe: Probe(periodSeconds: 7))
        var second = first
        second.livenessProbe?.periodSeconds = 8
        #expect(first.livenessProbe?.periodSeconds == 7 && second.livenessProbe?.periodSeconds == 8)
        second.readinessProbe = second.livenessProbe
        second.livenessProbe = nil
        #expect(second.livenessProbe == nil && second.readinessProbe?.periodSeconds == 8)
        second.readinessProbe?.periodSeconds = 7
        #expect(second.readinessProbe == first.livenessProbe)
        let value = try JSONValueEncoder().encode(second)
        #expect(value["readinessProbe"]?["periodSeconds"]?.intValue == 7)
        #expect(value["livenessProbe"] == nil && value["startupProbe"] == nil)
        #expect(try JSONValueDecoder().decode(Container.self, from: value) == second)
        let null = try JSONValue(parsing: Array(#"{"name":"one","livenessProbe":null}"#.utf8))
        #expect(try JSONValueDecoder().decode(Container.self, from: null) == Container(name: "one"))
        #expect(MemoryLayout<IndirectIfPresent<Probe>>.size == MemoryLayout<Int>.size)
    }

    @Test("what there is one of for each pod, container and volume of a server stays small")
    func size() {
        #expect(MemoryLayout<Indirect<PodSpec>>.size == MemoryLayout<Int>.size)
        #expect(MemoryLayout<Pod>.size <= 640)
        #expect(MemoryLayout<Container>.size <= 320 && MemoryLayout<Volume>.size <= 320)
    }
}
