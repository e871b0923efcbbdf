import ContainerRuntime
import Glibc
import Testing

struct ResourceLimitDefaultsTests {
    private static let (core, files) = (UInt32(4), UInt32(7))

    @Test("a container gets limits of its own, not those of the agent")
    func defaults() {
        #expect(
            ResourceLimit.containerDefaults { _ in .max } == [
                ResourceLimit(resource: Self.files, soft: 1024, hard: 524_288),
                ResourceLimit(resource: Self.core, soft: 0, hard: .max),
            ])
    }

    @Test(
        "where limits cannot be raised they are as high as they may be, the soft one never above the hard one",
        arguments: [(20_000, 1024, 20_000), (512, 512, 512), (0, 0, 0), (1 << 30, 1024, 524_288)]
            as [(UInt64, UInt64, UInt64)])
    func bounded(highest: UInt64, soft: UInt64, hard: UInt64) {
        let limits = ResourceLimit.containerDefaults { $0 == Self.files ? highest : 0 }
        #expect(
            limits == [
                ResourceLimit(resource: Self.files, soft: soft, hard: hard),
                ResourceLimit(resource: Self.core, soft: 0, hard: 0),
            ])
    }

    @Test("what this process may set is never below what it has")
    func here() throws {
        var own = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &own) == 0)
        #expect(ResourceLimit.highestHere(Self.files) >= UInt64(own.rlim_max))
    }
}
