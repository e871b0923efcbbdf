import Glibc
import LinuxKernel
import Testing

extension Tag {
    /// Needs root and the real kernel.
    @Tag static var privileged: Self
}

/// A test's own root cgroup on this host; everything in it is killed and removed at the end, and what is left fails the
/// test.
func withHostCgroups(_ body: (CgroupManager) throws -> Void) throws {
    let root = "/swiftlet-unit-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let manager = CgroupManager(hierarchies: try CgroupHierarchies.discover(), root: root)
    defer {
        #expect(throws: Never.self) { try manager.removeTree("") }
        let mounts = Set([manager.hierarchies.unified].compactMap(\.self) + manager.hierarchies.v1.values)
        for mount in mounts { #expect(!FileSystem.exists(mount + root), "a cgroup leaked: \(mount + root)") }
    }
    try manager.createIfNeeded("")
    try body(manager)
}

let isRoot = geteuid() == 0
let needsRoot: Comment = "needs root: it creates cgroups on this host"
