import LinuxKernel
import Testing

@Suite struct CgroupResourcesKubernetesTests {
    @Test(
        "CPU shares are 1024 for each core within the kernel's range",
        arguments: [
            (-1, 2), (0, 2), (1, 2), (2, 2), (10, 10), (100, 102), (1000, 1024), (1500, 1536), (256_000, 262_144),
            (1_000_000, 262_144), (Int64.max, 262_144),
        ] as [(Int64, UInt64)])
    func shares(milliCPU: Int64, expected: UInt64) {
        #expect(CgroupResources.cpuShares(milliCPU: milliCPU) == expected)
    }

    @Test(
        "the CPU quota is the limit's part of the period, at least 1 ms",
        arguments: [
            (0, nil), (-5, nil), (1, 1000), (10, 1000), (11, 1100), (100, 10_000), (1000, 100_000), (2500, 250_000),
            (Int64.max, Int64.max / 1000),
        ] as [(Int64, Int64?)])
    func quota(milliCPU: Int64, expected: Int64?) {
        #expect(CgroupResources.cpuQuotaMicroseconds(milliCPU: milliCPU) == expected)
    }

    @Test(
        "shares map to weights along the curve through 1, 100 and 10000",
        arguments: [(0, 1), (1, 1), (2, 1), (1024, 100), (262_144, 10_000), (.max, 10_000)] as [(UInt64, UInt64)])
    func weight(shares: UInt64, expected: UInt64) {
        #expect(CgroupResources.cpuWeight(shares: shares) == expected)
    }

    @Test("more shares never mean less weight")
    func weightIsMonotonic() {
        var last: UInt64 = 0
        for shares in stride(from: UInt64(0), through: 262_144, by: 7) {
            let weight = CgroupResources.cpuWeight(shares: shares)
            #expect(weight >= last && (1...10_000).contains(weight))
            last = weight
        }
    }

    @Test(
        "a Burstable container's OOM score falls with its part of the node's memory, within 3...999",
        arguments: [
            (0, 8000, 999), (4, 8000, 999), (8, 8000, 999), (80, 8000, 990), (4000, 8000, 500), (7999, 8000, 3),
            (8000, 8000, 3), (9000, 8000, 3), (1, 0, 999), (.max - 1, .max, 3), (.max / 2, .max, 501),
        ] as [(Int64, Int64, Int)])
    func oomScore(request: Int64, node: Int64, expected: Int) {
        #expect(
            CgroupResources.burstableOOMScoreAdjustment(memoryRequestBytes: request, nodeMemoryBytes: node) == expected)
    }
}
