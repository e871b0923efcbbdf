import Testing

@testable import LinuxKernel

struct MountTableTests {
    @Test("the mount table tells points and types, whatever optional fields a line has")
    func entries() {
        let table = """
            30 1 0:26 / / rw shared:1 - ext4 /dev/a rw
            31 30 0:27 / /pods/u/a rw - nfs4 s:/a rw
            32 31 0:28 / /pods/u/a\\040b rw shared:3 master:1 - fuse.sshfs - rw
            33 30 0:30 / /pods/u2/a rw - nfs4 s:/a rw
            34 30 0:31 / /pods/u rw -
            35 30
            """
        #expect(
            Mount.entries(in: table, below: "/pods/u") == [
                Mount.Entry(point: "/pods/u/a", type: "nfs4"), Mount.Entry(point: "/pods/u/a b", type: "fuse.sshfs"),
                Mount.Entry(point: "/pods/u", type: ""),
            ])
    }
}
