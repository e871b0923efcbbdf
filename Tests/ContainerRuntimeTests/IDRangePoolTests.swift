import LinuxKernel
import Testing

@testable import ContainerRuntime

struct IDRangePoolTests {
    @Test("without subordinate ids the ranges begin above the host's own ids, one per pod")
    func standard() throws {
        let pool = try IDRangePool(idsPerPod: 65_536, maxPods: 110, subuid: "ubuntu:100000:65536\n", subgid: nil)
        #expect(pool.first == 65_536)
        #expect(pool.capacity == 110)
        #expect(pool == .standard)
    }

    @Test("no range reaches the highest id, however many pods a node may have")
    func manyPods() throws {
        let pool = try IDRangePool(idsPerPod: 65_536, maxPods: .max)
        #expect(pool.capacity == 65_534)
        #expect(pool.range(pool.capacity - 1) != nil)
        #expect(throws: IDRangeError.self) { try IDRangePool(idsPerPod: 65_536 * 65_535, maxPods: 1) }
    }

    @Test(
        "ids per pod are a multiple of 65536, or the field is named with its value",
        arguments: [0, -65_536, 1, 65_535, 65_537, 100_000, .max])
    func idsPerPod(number: Int) {
        let error = #expect(throws: IDRangeError.self) { try IDRangePool(idsPerPod: number, maxPods: 110) }
        #expect(error?.description.contains("userNamespaces.idsPerPod \(number):") == true)
    }

    @Test("the ids of user kubelet are cut into ranges, what is left over is not used")
    func subordinate() throws {
        let text = "root:1:2\nkubelet:200000:200000\nkubelet2:5:5\n"
        let pool = try IDRangePool(idsPerPod: 65_536, maxPods: 110, subuid: text, subgid: text)
        #expect(pool.first == 200_000)
        #expect(pool.capacity == 3)
        #expect(pool.range(2)?.first == 331_072)
        let large = try IDRangePool(idsPerPod: 131_072, maxPods: 110, subuid: text, subgid: text)
        #expect(large.capacity == 1)
        #expect(large.range(0)?.count == 131_072)
    }

    @Test(
        "subordinate ids that are not one usable range, the same for users and groups, are refused",
        arguments: [
            ("kubelet:65536:65536", ""), ("", "kubelet:65536:65536"),
            ("kubelet:65536:65536", "kubelet:131072:65536"), ("kubelet:65536:65536", "kubelet:65536:131072"),
            ("kubelet:0:131072", "kubelet:0:131072"), ("kubelet:65535:131072", "kubelet:65535:131072"),
            ("kubelet:65536:65535", "kubelet:65536:65535"),
            ("kubelet:65536:65536\nkubelet:262144:65536", "kubelet:65536:65536\nkubelet:262144:65536"),
            ("kubelet:many:65536", "kubelet:many:65536"), ("kubelet:65536", "kubelet:65536"),
            ("kubelet:4294901760:65536", "kubelet:4294901760:65536"), ("kubelet:-1:65536", "kubelet:-1:65536"),
            ("kubelet:65536:99999999999", "kubelet:65536:99999999999"),
        ])
    func refused(subuid: String, subgid: String) {
        let error = #expect(throws: IDRangeError.self) {
            try IDRangePool(idsPerPod: 65_536, maxPods: 110, subuid: subuid, subgid: subgid)
        }
        #expect(error?.description.hasPrefix("/etc/subuid") == true)
    }
}
