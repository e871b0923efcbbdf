import ContainerRuntime
import Glibc
import Testing

struct ResourceLimitDefaultsTests {
    private static let (processorSeconds, fileBytes, dataBytes, stack) = (UInt32(0), UInt32(1), UInt32(2), UInt32(3))
    private static let (core, processes, files) = (UInt32(4), UInt32(6), UInt32(7))
    private static let (locked, addressSpace) = (UInt32(8), UInt32(9))

    @Test("a container gets limits of its own, not those of the agent")
    func defaults() {
        let limits = ResourceLimit.containerDefaults { _ in .max }
        let expected = [
            (Self.files, 1024, 524_288), (Self.stack, 8 << 20, .max), (Self.locked, 8 << 20, 8 << 20),
            (Self.processes, .max, .max), (Self.addressSpace, .max, .max), (Self.dataBytes, .max, .max),
            (Self.fileBytes, .max, .max), (Self.processorSeconds, .max, .max),
        ].map { ResourceLimit(resource: $0, soft: $1, hard: $2) }
        #expect(Set(limits) == Set(expected + [ResourceLimit(resource: Self.core, soft: 1, hard: 1)]))
        #expect(limits.count == 9)
    }

    @Test(
        "where limits cannot be raised they are as high as they may be, the soft one never above the hard one",
        arguments: [(20_000, 1024, 20_000), (512, 512, 512), (0, 0, 0), (1 << 30, 1024, 524_288)]
            as [(UInt64, UInt64, UInt64)])
    func bounded(highest: UInt64, soft: UInt64, hard: UInt64) {
        let limits = ResourceLimit.containerDefaults { $0 == Self.files ? highest : 0 }
        #expect(
            limits.first { $0.resource == Self.files }
                == ResourceLimit(resource: Self.files, soft: soft, hard: hard))
        #expect(limits.filter { $0.resource != Self.files }.allSatisfy { $0.soft == 0 && $0.hard == 0 })
    }

    @Test("what this process may set is never below what it has")
    func here() throws {
        var own = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &own) == 0)
        #expect(ResourceLimit.highestHere(Self.files) >= UInt64(own.rlim_max))
    }
}
