import LinuxKernel
import Testing

@testable import ContainerRuntime

struct IDRangeAllocatorTests {
    private static func allocator(capacity: Int = 4) throws -> IDRangeAllocator {
        IDRangeAllocator(pool: try IDRangePool(idsPerPod: 65_536, maxPods: capacity))
    }

    @Test("pods get ranges that share no id, and no id of the host's own")
    func disjoint() throws {
        var allocator = try Self.allocator(capacity: 110)
        let ranges = try (0..<110).map { try allocator.allocate(for: "pod-\($0)") }
        #expect(ranges.allSatisfy { $0.first >= 65_536 && $0.count == 65_536 })
        for (index, range) in ranges.enumerated() {
            #expect(!ranges[..<index].contains(where: range.overlaps), "\(range)")
        }
    }

    @Test("a pod that asks again has the range it had")
    func stable() throws {
        var allocator = try Self.allocator()
        let range = try allocator.allocate(for: "a")
        _ = try allocator.allocate(for: "b")
        #expect(try allocator.allocate(for: "a") == range)
    }

    @Test("when all are in use the next pod is told so, and gets the one that is given back")
    func exhaustion() throws {
        var allocator = try Self.allocator(capacity: 2)
        _ = try allocator.allocate(for: "a")
        let second = try allocator.allocate(for: "b")
        let error = #expect(throws: IDRangeError.self) { try allocator.allocate(for: "c") }
        #expect(error?.description.contains("all 2 ranges of host ids are in use by 2 pods") == true)
        #expect(allocator.pods == ["a", "b"])
        allocator.release("b")
        #expect(try allocator.allocate(for: "c") == second)
        allocator.release("nobody")
    }

    @Test("a range found in a record is given to nobody else, whichever order they come in")
    func recovered() throws {
        var before = try Self.allocator()
        let ranges = try ["a", "b", "c"].map { try before.allocate(for: $0) }
        var after = try Self.allocator()
        after.reserve(ranges[1], for: "b")
        let new = try after.allocate(for: "new")
        after.reserve(ranges[2], for: "c")
        #expect(new == ranges[0])
        #expect(try after.allocate(for: "b") == ranges[1])
        #expect(try after.allocate(for: "newer").first == 65_536 * 4)
    }

    @Test("a range of other settings, across the borders of today's, blocks each that it touches")
    func foreign() throws {
        var allocator = try Self.allocator()
        allocator.reserve(try #require(IDRange(first: 100_000, count: 65_536)), for: "old")
        #expect(try allocator.allocate(for: "new").first == 196_608)
        allocator.reserve(try #require(IDRange(first: 1_000_000_000, count: 65_536)), for: "far")
        #expect(try allocator.allocate(for: "newer").first == 262_144)
        #expect(throws: IDRangeError.self) { try allocator.allocate(for: "newest") }
    }

    @Test("of two ranges that records give one pod both stay its own, and the later is in use")
    func twice() throws {
        var allocator = try Self.allocator(capacity: 3)
        let first = try #require(IDRange(first: 65_536, count: 65_536))
        let second = try #require(IDRange(first: 131_072, count: 65_536))
        allocator.reserve(first, for: "a")
        allocator.reserve(second, for: "a")
        #expect(try allocator.allocate(for: "a") == second)
        #expect(try allocator.allocate(for: "b").first == 196_608)
        allocator.release("a")
        #expect(try allocator.allocate(for: "c") == first)
    }
}
