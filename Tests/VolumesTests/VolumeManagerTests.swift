import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage
import Testing

@testable import Volumes

@Suite(.enabled(if: isRoot, needsRoot)) struct VolumeManagerTests {
    private func configMap(_ name: String, optional: Bool? = nil, items: [KeyToPath]? = nil) -> Volume {
        Volume(name: name, configMap: ConfigMapVolumeSource(name: name, items: items, optional: optional))
    }

    private func secret(_ name: String) -> Volume {
        Volume(name: name, secret: SecretVolumeSource(secretName: name))
    }

    /// The error of a mount that must fail.
    private func failure(_ manager: VolumeManager, _ pod: Pod) async -> VolumeError? {
        do throws(VolumeError) {
            _ = try await manager.mount(pod)
            return nil
        } catch {
            return error
        }
    }

    @Test("an emptyDir on disk is writable by all, survives a remount with content and mode, and goes with the pod")
    func emptyDirOnDisk() async throws {
        try await VolumeWorld.with { (world) async throws in
            let pod = world.pod([Volume(name: "data", emptyDir: EmptyDirVolumeSource())])
            let volume = try #require(try await world.manager().mount(pod)["data"])
            #expect(volume.hostPath == world.pods + "/uid-1/volumes/kubernetes.io~empty-dir/data")
            #expect(!volume.isReadOnly && !volume.isFile)
            #expect(try mode(volume.hostPath) == 0o777)
            try FileSystem.writeAtomically(volume.hostPath + "/kept", [1])
            #expect(chmod(volume.hostPath, 0o700) == 0)
            #expect(try await world.manager().mount(pod)["data"] == volume)
            #expect(try FileSystem.list(volume.hostPath) == ["kept"])
            #expect(try mode(volume.hostPath) == 0o700, "the mode is the container's to change")
            try await world.manager().unmount(podUID: "uid-1")
            #expect(!FileSystem.exists(world.pods + "/uid-1"))
        }
    }

    @Test("an emptyDir whose making was cut short is made anew")
    func emptyDirHalfMade() async throws {
        try await VolumeWorld.with { (world) async throws in
            let parent = world.pods + "/uid-1/volumes/kubernetes.io~empty-dir"
            try FileSystem.makeDirectories(parent + "/.data.new/left")
            let pod = world.pod([Volume(name: "data", emptyDir: EmptyDirVolumeSource())], fsGroup: 77)
            let volume = try #require(try await world.manager().mount(pod)["data"])
            #expect(try FileSystem.list(parent) == ["data"])
            #expect(try mode(volume.hostPath) == 0o2777)
            #expect(try fileStatus(volume.hostPath).st_gid == 77)
        }
    }

    @Test(
        "an emptyDir in memory holds the least of node, pod limit and sizeLimit",
        arguments: [
            (nil, nil, 64 << 20), (nil, 1 << 20, 1 << 20), (2 << 20, 8 << 20, 2 << 20), (2 << 20, 0, 2 << 20),
        ] as [(Int64?, Int64?, Int64)])
    func emptyDirInMemory(_ limit: Int64?, _ sizeLimit: Int64?, _ expected: Int64) async throws {
        try await VolumeWorld.with { (world) async throws in
            let source = EmptyDirVolumeSource(medium: "Memory", sizeLimit: sizeLimit.map { .bytes($0) })
            let pod = world.pod(
                [Volume(name: "fast", emptyDir: source)], fsGroup: 12, memoryLimit: limit.map { .bytes($0) })
            let volume = try #require(try await world.manager().mount(pod)["fast"])
            var information = statfs()
            try kernelCall("statfs") { statfs(volume.hostPath, &information) }
            #expect(information.f_type == 0x0102_1994)
            #expect(Int64(information.f_blocks) * Int64(information.f_bsize) == expected)
            #expect(try mode(volume.hostPath) == 0o2777)
            #expect(try fileStatus(volume.hostPath).st_gid == 12)
            try FileSystem.writeAtomically(volume.hostPath + "/kept", [1])
            #expect(try await world.manager().mount(pod)["fast"] == volume)
            #expect(try Mount.points(below: world.root) == [volume.hostPath], "a second mount hid the first")
            #expect(try FileSystem.list(volume.hostPath) == ["kept"])
        }
    }

    @Test(
        "an emptyDir in huge pages has pages of the size that the pod asks for, and is refused without",
        .enabled(if: (try? FileSystem.readText("/proc/filesystems"))?.contains("hugetlbfs") == true))
    func emptyDirInHugePages() async throws {
        try await VolumeWorld.with { (world) async throws in
            func pod(_ medium: String, asks: [String]) -> Pod {
                var pod = world.pod(
                    [Volume(name: "huge", emptyDir: EmptyDirVolumeSource(medium: medium))], fsGroup: 12)
                let requests = Dictionary(uniqueKeysWithValues: asks.map { ($0, Quantity.bytes(2 << 20)) })
                pod.spec.containers[0].resources = ResourceRequirements(requests: requests)
                return pod
            }
            let asking = pod("HugePages", asks: ["hugepages-2Mi"])
            let volume = try #require(try await world.manager().mount(asking)["huge"])
            var information = statfs()
            try kernelCall("statfs") { statfs(volume.hostPath, &information) }
            #expect(information.f_type == 0x9584_58f6 && information.f_bsize == 2 << 20)
            #expect(try mode(volume.hostPath) == 0o2777)
            #expect(try await world.manager().mount(pod("HugePages-2Mi", asks: ["hugepages-2Mi"]))["huge"] == volume)
            #expect(try Mount.points(below: world.root) == [volume.hostPath], "a second mount hid the first")
            for wrong in [
                pod("HugePages", asks: []), pod("HugePages-1Gi", asks: ["hugepages-2Mi"]), pod("Disk", asks: []),
                pod("HugePages", asks: ["hugepages-2Mi", "hugepages-1Gi"]),
            ] {
                #expect(await failure(world.manager(), wrong) != nil)
            }
        }
    }

    @Test("a configMap shows its keys with modes, text and binary, and follows changes")
    func configMapVolume() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setConfigMap("app", ["a.conf": "one", "b.conf": "two"])
            let items = [KeyToPath(key: "a.conf", path: "sub/x", mode: 0o400), KeyToPath(key: "b.conf", path: "y")]
            let pod = world.pod([configMap("app", items: items)])
            let manager = world.manager()
            let volume = try #require(try await manager.mount(pod)["app"])
            #expect(volume.isReadOnly)
            #expect(volume.hostPath.hasSuffix("/kubernetes.io~configmap/app"))
            #expect(try FileSystem.readText(volume.hostPath + "/sub/x") == "one")
            #expect(try mode(volume.hostPath + "/..data/sub/x") == 0o400)
            #expect(try mode(volume.hostPath + "/..data/y") == 0o644)
            world.objects.setConfigMap("app", ["a.conf": "three", "b.conf": "two"])
            try await manager.refresh(pod)
            #expect(try FileSystem.readText(volume.hostPath + "/sub/x") == "three")
        }
    }

    @Test("missing objects and keys are named; optional ones are empty and appear later")
    func missingObjects() async throws {
        try await VolumeWorld.with { (world) async throws in
            let manager = world.manager()
            var error = await failure(manager, world.pod([configMap("app")]))
            #expect(error?.code == .notFound)
            #expect(error?.message == "configmap \"app\" not found")
            #expect(error?.description == "volume \"app\": configmap \"app\" not found")
            error = await failure(manager, world.pod([secret("key")]))
            #expect(error?.message == "secret \"key\" not found")
            world.objects.setConfigMap("app", ["a": "1"])
            let items = [KeyToPath(key: "a", path: "a"), KeyToPath(key: "k", path: "k")]
            error = await failure(manager, world.pod([configMap("app", items: items)]))
            #expect(error?.message == "configmap \"app\" references non-existent config key: k")

            let optional = world.pod(
                [configMap("late", optional: true), configMap("app", optional: true, items: items)], uid: "uid-2")
            let mounted = try await manager.mount(optional)
            let late = try #require(mounted["late"]).hostPath
            #expect(try FileSystem.list(late).filter { !$0.hasPrefix("..") } == [])
            #expect(try FileSystem.list(try #require(mounted["app"]).hostPath).filter { !$0.hasPrefix("..") } == ["a"])
            world.objects.setConfigMap("late", ["now": "here"])
            try await manager.refresh(optional)
            #expect(try FileSystem.readText(late + "/now") == "here")
        }
    }

    @Test("secret, downwardAPI and projected volumes are on tmpfs, and no secret reaches the disk below")
    func memoryOnly() async throws {
        try await VolumeWorld.with { (world) async throws in
            let marker = "marker-\(UInt64.random(in: 0 ... .max))"
            world.objects.setSecret("key", ["token": marker])
            world.objects.setConfigMap("app", ["a": "1"])
            let labels = DownwardAPIVolumeFile(
                path: "labels", fieldRef: ObjectFieldSelector(fieldPath: "metadata.labels"))
            let projections = [
                VolumeProjection(secret: SecretProjection(name: "key", items: [KeyToPath(key: "token", path: "s/t")])),
                VolumeProjection(configMap: ConfigMapProjection(name: "app")),
                VolumeProjection(downwardAPI: DownwardAPIProjection(items: [labels])),
            ]
            var pod = world.pod(
                [
                    secret("key"), Volume(name: "info", downwardAPI: DownwardAPIVolumeSource(items: [labels])),
                    Volume(name: "all", projected: ProjectedVolumeSource(sources: projections, defaultMode: 0o440)),
                ], labels: ["app": "web", "tier": "a\"b"])
            let manager = world.manager()
            let volumes = try await manager.mount(pod)
            #expect(try Mount.points(below: world.root).count == 3)
            let all = try #require(volumes["all"]).hostPath
            #expect(try FileSystem.readText(all + "/s/t") == marker)
            #expect(try mode(all + "/..data/s/t") == 0o440)
            #expect(try FileSystem.readText(all + "/a") == "1")
            #expect(try FileSystem.readText(all + "/labels") == "app=\"web\"\ntier=\"a\\\"b\"")
            pod.metadata.labels = ["app": "next"]
            try await manager.refresh(pod)
            #expect(try FileSystem.readText(try #require(volumes["info"]).hostPath + "/labels") == "app=\"next\"")
            for volume in volumes.values {
                #expect(try Mount.unmount(volume.hostPath))
                #expect(try FileSystem.list(volume.hostPath) == [], "content below the tmpfs")
            }
        }
    }

    @Test("fsGroup owns and can read the files of object volumes")
    func fsGroup() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            var volume = secret("key")
            volume.secret?.defaultMode = 0o400
            let path = try #require(try await world.manager().mount(world.pod([volume], fsGroup: 3000))["key"]).hostPath
            let file = try fileStatus(path + "/..data/token")
            #expect(file.st_gid == 3000 && file.st_mode & 0o7777 == 0o440)
            #expect(try mode(path) == 0o2755)
            let bad = await failure(world.manager(), world.pod([volume], uid: "uid-2", fsGroup: -1))
            #expect(bad?.code == .invalid)
        }
    }

    @Test("an agent that starts while the control endpoint is away keeps what is mounted, and makes nothing up")
    func unreachableEndpoint() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            let pod = world.pod([secret("key")])
            let mounted = try await world.manager().mount(pod)
            world.objects.setReachable(false)
            #expect(try await world.manager().mount(pod) == mounted)
            #expect(try FileSystem.readText(try #require(mounted["key"]).hostPath + "/token") == "x")
            let error = await failure(world.manager(), world.pod([secret("key")], uid: "uid-2"))
            #expect(error?.code == .sourceUnavailable)
            #expect(error?.message == "secret \"shop/key\" cannot be read now: connection refused")
        }
    }

    @Test("a volume in memory that is too small is an error, and nothing is in the way once there is room")
    func noSpace() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "small"])
            let pod = world.pod([secret("key")], memoryLimit: .bytes(64 << 10))
            let manager = world.manager()
            let path = try #require(try await manager.mount(pod)["key"]).hostPath
            world.objects.setSecret("key", ["token": String(repeating: "x", count: 100_000)])
            for _ in 0..<2 {
                await #expect { try await manager.refresh(pod) } throws: {
                    ($0 as? VolumeError)?.cause?.errno == .noSpace
                }
                #expect(try FileSystem.readText(path + "/token") == "small")
            }
            world.objects.setSecret("key", ["token": String(repeating: "y", count: 30_000)])
            try await manager.refresh(pod)
            #expect(try FileSystem.readText(path + "/token").utf8.count == 30_000)
        }
    }

    @Test("an object that was deleted fails the refresh and leaves the content")
    func deletedObject() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setConfigMap("app", ["a": "1"])
            let pod = world.pod([configMap("app")])
            let manager = world.manager()
            let path = try #require(try await manager.mount(pod)["app"]).hostPath
            world.objects.setConfigMap("app", nil)
            await #expect(throws: VolumeError.self) { try await manager.refresh(pod) }
            #expect(try FileSystem.readText(path + "/a") == "1")
        }
    }

    @Test("a refresh after the volumes were taken away makes nothing")
    func refreshAfterUnmount() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setConfigMap("app", ["a": "1"])
            let pod = world.pod([configMap("app")])
            let manager = world.manager()
            _ = try await manager.mount(pod)
            try await manager.unmount(podUID: "uid-1")
            try await manager.refresh(pod)
            #expect(try FileSystem.list(world.pods) == [])
        }
    }

    @Test("one volume that fails does not keep the others from being made; one that nobody mounts is not made")
    func independence() async throws {
        try await VolumeWorld.with { (world) async throws in
            var pod = world.pod([configMap("app"), Volume(name: "data", emptyDir: EmptyDirVolumeSource())])
            pod.spec.volumes?.append(configMap("unused"))
            pod.spec.volumes?.append(Volume(name: "unused-disk", iscsi: [:]))
            #expect(await failure(world.manager(), pod)?.volume == "app")
            #expect(FileSystem.exists(world.pods + "/uid-1/volumes/kubernetes.io~empty-dir/data"))
            world.objects.setConfigMap("app", ["a": "1"])
            #expect(try await world.manager().mount(pod).keys.sorted() == ["app", "data"])
        }
    }

    @Test("what is not supported is named with its field and type")
    func unsupported() async throws {
        try await VolumeWorld.with { (world) async throws in
            let disk = Volume(name: "share", iscsi: [:])
            var error = await failure(world.manager(), world.pod([disk]))
            #expect(error?.code == .unsupported)
            #expect(error?.message.hasPrefix("spec.volumes[0]: volume type iscsi is not supported by this") == true)
            let huge = Volume(name: "huge", emptyDir: EmptyDirVolumeSource(medium: "HugePages"))
            error = await failure(world.manager(), world.pod([huge]))
            #expect(error?.message.hasPrefix("spec.volumes[0].emptyDir.medium \"HugePages\": the pod must ask") == true)
            let bundle = VolumeProjection(clusterTrustBundle: ClusterTrustBundleProjection(name: "ca", path: "ca"))
            error = await failure(
                world.manager(),
                world.pod([Volume(name: "api", projected: ProjectedVolumeSource(sources: [bundle]))]))
            #expect(
                error?.message.hasPrefix("spec.volumes[0].projected.sources[0] is not supported by this node") == true)
        }
    }

    @Test(
        "a pod UID or a volume name that is no plain name never becomes a path",
        arguments: ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\0b", String(repeating: "x", count: 129)])
    func hostileNames(_ name: String) async throws {
        try await VolumeWorld.with { (world) async throws in
            let manager = world.manager()
            let emptyDir = EmptyDirVolumeSource()
            #expect(
                await failure(manager, world.pod([Volume(name: "d", emptyDir: emptyDir)], uid: name))?.code == .invalid)
            #expect(await failure(manager, world.pod([Volume(name: name, emptyDir: emptyDir)]))?.code == .invalid)
            await #expect(throws: VolumeError.self) { try await manager.unmount(podUID: name) }
            await #expect(throws: VolumeError.self) { try await manager.removePodDirectory(podUID: name) }
        }
    }

    @Test("calls for one pod run one after the other")
    func serialised() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            let pod = world.pod([secret("key"), Volume(name: "data", emptyDir: EmptyDirVolumeSource())])
            let manager = world.manager()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<40 {
                    group.addTask {
                        if round.isMultiple(of: 3) {
                            try await manager.unmount(podUID: "uid-1")
                        } else {
                            _ = try await manager.mount(pod)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try Mount.points(below: world.root).count <= 1, "a mount on a mount")
        }
    }

    @Test("the pods on disk are found, whoever made their directories")
    func podsOnDisk() async throws {
        try await VolumeWorld.with { (world) async throws in
            try FileSystem.makeDirectories(world.pods + "/uid-9/containers")
            try FileSystem.makeDirectories(world.pods + "/.staging")
            #expect(try await world.manager().podUIDsOnDisk() == ["uid-9"])
            try FileSystem.removeTree(world.pods + "/.staging")
        }
    }

    @Test("a ConfigMap of hundreds of keys is updated as a whole")
    func manyFiles() async throws {
        try await VolumeWorld.with { (world) async throws in
            let names = (0..<300).map { "key-\($0)" }
            world.objects.setConfigMap("app", Dictionary(uniqueKeysWithValues: names.map { ($0, "1") }))
            let pod = world.pod([configMap("app")])
            let manager = world.manager()
            let path = try #require(try await manager.mount(pod)["app"]).hostPath
            world.objects.setConfigMap("app", Dictionary(uniqueKeysWithValues: names.map { ($0, "2") }))
            try await manager.refresh(pod)
            #expect(try FileSystem.list(path + "/..data").count == 300)
            #expect(try FileSystem.readText(path + "/key-299") == "2")
        }
    }
}
