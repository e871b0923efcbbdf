import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("Eviction thresholds as text")
struct EvictionThresholdsTests {
    private static func hard(_ text: String) throws -> [EvictionThreshold] {
        let entries = try EvictionThresholds.entries(text, separator: "<", flag: "--eviction-hard")
        return try EvictionThresholds(hard: entries).thresholds()
    }

    @Test("amounts and shares are read; those for memory hold for the pods together, too")
    func reading() throws {
        let found = try Self.hard("memory.available<1.5Gi,nodefs.available<10%,pid.available<1k")
        #expect(
            found == [
                EvictionThreshold(.memoryAvailable, .quantity(.bytes(1536 << 20))),
                EvictionThreshold(.nodefsAvailable, .share(0.1)),
                EvictionThreshold(.pidAvailable, .quantity(.count(1000))),
                EvictionThreshold(.allocatableMemoryAvailable, .quantity(.bytes(1536 << 20))),
            ])
    }

    @Test("without any there are kubelet's; with some there are only those, unless the defaults are merged")
    func defaults() throws {
        let signals = { (thresholds: [EvictionThreshold]) in Set(thresholds.map(\.signal)) }
        let all: Set<EvictionSignal> = [
            .memoryAvailable, .nodefsAvailable, .nodefsInodesFree, .imagefsAvailable, .imagefsInodesFree,
            .allocatableMemoryAvailable,
        ]
        #expect(signals(try EvictionThresholds().thresholds()) == all)
        #expect(signals(try EvictionThresholds(hard: [("nodefs.available", "5%")]).thresholds()) == [.nodefsAvailable])
        let merged = try EvictionThresholds(hard: [("nodefs.available", "5%")], keepsDefaults: true).thresholds()
        #expect(signals(merged) == all)
        #expect(merged.filter { $0.signal == .nodefsAvailable }.map(\.value) == [.share(0.05)])
        // 0 % and 100 % are ways to have none.
        #expect(try Self.hard("imagefs.available<0%,nodefs.available<100%") == [])
    }

    @Test("soft ones have their time, and minimum reclaims go to every threshold of their signal")
    func soft() throws {
        let found = try EvictionThresholds(
            hard: [("memory.available", "100Mi")], soft: [("memory.available", "300Mi")],
            softGracePeriods: [("memory.available", "1m30s")], minimumReclaims: [("memory.available", "0")]
        ).thresholds()
        #expect(found.map(\.gracePeriod) == [.zero, .seconds(90), .zero])
        #expect(found.map(\.minimumReclaim) == [.quantity(.zero), .quantity(.zero), .quantity(.zero)])
        #expect(throws: EvictionThresholds.Invalid.self) {
            try EvictionThresholds(soft: [("memory.available", "300Mi")]).thresholds()
        }
    }

    @Test(
        "what makes no sense is an error that names it",
        arguments: [
            "memory.available", "memory.available<", "<100Mi", "memory<100Mi", "memory.available<-1Mi",
            "memory.available<0", "memory.available<x", "memory.available<101%", "allocatableMemory.available<1Mi",
            "memory.available<1Mi,memory.available<2Mi",
        ])
    func nonsense(text: String) {
        #expect {
            try Self.hard(text)
        } throws: { error in
            "\(error)".hasPrefix("--eviction-hard ")
        }
    }

    @Test("durations are read as Kubernetes writes them")
    func durations() {
        #expect(Duration(kubernetes: "5m0s") == .seconds(300))
        #expect(Duration(kubernetes: "1h2m3.5s") == .milliseconds(3_723_500))
        #expect(Duration(kubernetes: "300ms") == .milliseconds(300))
        #expect(Duration(kubernetes: "-2s") == .seconds(-2))
        #expect(Duration(kubernetes: "0") == .zero)
        for text in ["", "5", "s", "5x", "1e3s", "5m 0s", "99999999999999h", "--1s"] {
            #expect(Duration(kubernetes: text) == nil, "\(text)")
        }
    }
}
