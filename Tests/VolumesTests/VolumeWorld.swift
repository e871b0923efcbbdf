import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

let isRoot = geteuid() == 0
let needsRoot: Comment = "needs root: it mounts and changes owners"

/// A state directory of its own for one test; whatever is still mounted or stored below it at the end fails the test.
final class VolumeWorld: Sendable {
    let root: String
    let objects = FakeObjects()

    var pods: String { root + "/pods" }

    private init() throws {
        var template = Array("/tmp/swiftlet-volumes-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
        root = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try FileSystem.makeDirectories(pods)
    }

    /// Runs `body`, takes the volumes of all pods away, and checks that nothing is left.
    static func with(_ body: (VolumeWorld) async throws -> Void) async throws {
        let world = try VolumeWorld()
        do { try await body(world) } catch { Issue.record("the test threw: \(error)") }
        let manager = world.manager()
        for uid in try await manager.podUIDsOnDisk() { try await manager.removePodDirectory(podUID: uid) }
        #expect(try FileSystem.list(world.pods) == [], "a pod's directory leaked")
        let mounts = try Mount.points(below: world.root)
        #expect(mounts.isEmpty, "mounts leaked")
        for mount in mounts { try Mount.unmount(mount) }
        try FileSystem.removeTree(world.root)
    }

    /// A new manager, as after a restart of the agent.
    func manager(allocatable: [String: Quantity] = ["memory": .bytes(64 << 20)]) -> VolumeManager {
        VolumeManager(
            stateDirectory: pods, objects: objects, nodeAllocatable: { allocatable }, hostPaths: HostPathRules())
    }

    /// A pod with one container that mounts every volume at `/<name>`.
    func pod(
        _ volumes: [Volume], uid: String = "uid-1", fsGroup: Int64? = nil, memoryLimit: Quantity? = nil,
        labels: [String: String]? = nil
    ) -> Pod {
        let limits = memoryLimit.map { ResourceRequirements(limits: ["memory": $0]) }
        let mounts = volumes.map { VolumeMount(name: $0.name, mountPath: "/" + $0.name) }
        return Pod(
            metadata: ObjectMeta(name: "web", namespace: "shop", uid: uid, labels: labels),
            spec: PodSpec(
                volumes: volumes, containers: [Container(name: "main", resources: limits, volumeMounts: mounts)],
                securityContext: fsGroup.map { PodSecurityContext(fsGroup: $0) }))
    }

    func write(_ name: String, _ text: String) throws {
        try FileSystem.writeAtomically(root + "/" + name, Array(text.utf8), durable: false)
    }
}

/// Access by the beginning of a path; what no beginning fits may be written.
struct HostPathRules: HostPathGuarding {
    var rules: [String: HostPathAccess] = [:]

    func access(of pod: Pod, to path: String) -> HostPathAccess {
        rules.filter { path == $0.key || path.hasPrefix($0.key + "/") }.map(\.value).min() ?? .readWrite
    }
}

func fileStatus(_ path: String) throws -> stat {
    var status = stat()
    try kernelCall("lstat", path) { lstat(path, &status) }
    return status
}

/// Permission bits, setgid included.
func mode(_ path: String) throws -> UInt32 { UInt32(try fileStatus(path).st_mode & 0o7777) }
