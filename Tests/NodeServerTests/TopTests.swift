import KubernetesAPI
import Testing

@testable import NodeServer

@Suite struct TopTests {
    private func reading(
        seconds: Int64, pods: [(name: String, cpu: Int64, memory: Int64)] = [], node: Int64 = 0
    ) -> TopReading {
        func figures(_ cpu: Int64, _ memory: Int64) -> TopReading.Figures {
            var figures = TopReading.Figures()
            figures.cpuNanoseconds = cpu
            figures.memoryBytes = memory
            return figures
        }
        return TopReading(
            nanoseconds: seconds * 1_000_000_000, nodeName: "n1", processors: 2, memoryTotalBytes: 4 << 30,
            node: figures(node, 1 << 30),
            pods: pods.map { pod in
                TopReading.Pod(
                    uid: pod.name, namespace: "default", name: pod.name, figures: figures(pod.cpu, pod.memory),
                    containers: [.init(id: pod.name + "-c", name: "main", figures: figures(pod.cpu, pod.memory))])
            })
    }

    @Test("bars grow with what they stand for, newest right, blank where nothing is known")
    func sparkline() {
        #expect(Sparkline.draw([0, 50, 100], width: 5) == "  ▁▅█")
        #expect(Sparkline.draw([1, 2, 3, 4], width: 2, ceiling: 4) == "▆█")
        #expect(Sparkline.draw([0, 0], width: 2) == "▁▁")
        #expect(Sparkline.draw([5, Int64.max], width: 2, ceiling: 5) == "██")
        #expect(Sparkline.draw([1], width: 0) == "")
    }

    @Test("rates are what changed in the time between; rows are ordered by what was asked for")
    func order() {
        var state = TopState()
        state.take(reading(seconds: 10, pods: [("a", 0, 300), ("b", 0, 100)]))
        #expect(state.rows.allSatisfy { $0.rates.nanoCores == nil })
        state.take(reading(seconds: 12, pods: [("a", 200_000_000, 300), ("b", 1_000_000_000, 100)]))
        #expect(state.orderedRows.map(\.pod) == ["b", "a"])
        #expect(state.orderedRows.map(\.rates.nanoCores) == [500_000_000, 100_000_000])
        state.order = .memory
        #expect(state.orderedRows.map(\.pod) == ["a", "b"])
    }

    @Test("the trend holds the last sixty looks, and forgets pods that have gone")
    func history() {
        var state = TopState()
        for second in 0..<100 {
            state.take(reading(seconds: Int64(second), pods: [("a", Int64(second) * 1_000_000, 1)]))
        }
        #expect(state.history("a", .cpu).count == 60 && state.history("a", .cpu).last == 1_000_000)
        state.take(reading(seconds: 101))
        #expect(state.history("a", .cpu).isEmpty && state.history("", .cpu).count == 60)
    }

    @Test("the same reading twice changes nothing")
    func repeated() {
        var state = TopState()
        state.take(reading(seconds: 1, pods: [("a", 0, 1)]))
        state.take(reading(seconds: 2, pods: [("a", 1_000_000_000, 1)]))
        state.take(reading(seconds: 2, pods: [("a", 1_000_000_000, 1)]))
        #expect(state.rows.first?.rates.nanoCores == 1_000_000_000 && state.history("a", .cpu).count == 1)
    }

    @Test(
        "the screen is never larger than the terminal, and says what does not fit",
        arguments: [(80, 24), (40, 8), (20, 4)])
    func fits(width: Int, height: Int) {
        var state = TopState()
        let pods = (0..<50).map { (name: "pod-with-a-rather-long-name-\($0)", cpu: Int64($0), memory: Int64($0)) }
        state.take(reading(seconds: 1, pods: pods))
        state.take(reading(seconds: 2, pods: pods))
        let lines = TopView(width: width, height: height).lines(state, time: "12:00:00", interval: "2s")
        #expect(lines.count <= height && lines.allSatisfy { $0.count <= width })
        #expect(height < 8 || lines.last?.hasPrefix("… and") == true)
    }

    @Test("the plain table has the node first, then pods with their only container beside them")
    func plain() {
        var state = TopState()
        state.take(reading(seconds: 1, pods: [("a", 0, 2 << 20)]))
        state.take(reading(seconds: 2, pods: [("a", 250_000_000, 2 << 20)], node: 500_000_000))
        let lines = TopView.plain(state).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines[0].prefix(5) == ["NAMESPACE", "POD", "CONTAINER", "CPU", "MEMORY"])
        #expect(lines[1] == ["(node)", "500m", "1Gi", "4Gi", "-", "-", "-", "-"])
        #expect(lines[2] == ["default", "a", "main", "250m", "2Mi", "-", "-", "-", "-", "-"])
    }

    @Test("what the node sends is what top reads")
    func document() throws {
        let reading = try #require(TopReading(UsageDocument.build(UsageFixture.report(), nodeName: "n1")))
        #expect(reading.nodeName == "n1" && reading.processors == 2 && reading.memoryTotalBytes == 4096)
        #expect(reading.node.receivedBytes == 70 && reading.node.memoryBytes == 2000)
        let pod = try #require(reading.pods.first)
        #expect(pod.figures.cpuNanoseconds == 2_000_000_000 && pod.figures.sentBytes == 7)
        #expect(pod.figures.cpuPressure == 1.5 && pod.containers.first?.figures.readBytes == 4096)
    }
}
