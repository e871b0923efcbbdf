import Glibc
import KubernetesAPI
import LinuxKernel
import Logging
import Testing
import Volumes

@testable import NodeAgent

@Suite("Manifests on disk", .timeLimit(.minutes(5)))
struct ManifestSourceTests {
    /// A directory of its own for each test, removed afterwards.
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/swiftlet-manifests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do { try await body(path) } catch {
            try FileSystem.removeTree(path)
            throw error
        }
        try FileSystem.removeTree(path)
    }

    private func withSource(_ directory: String, _ body: (ManifestSource, inout Told) async throws -> Void) async throws
    {
        let loop = try EpollLoop(name: "manifests")
        defer { loop.stop() }
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let source = ManifestSource(directory: directory, nodeName: "n", loop: loop, logger: logger)
        var told = Told(updates: source.updates.makeAsyncIterator())
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await source.run() }
            try await body(source, &told)
            group.cancelAll()
        }
    }

    /// What the source tells, one line each.
    private struct Told {
        var updates: AsyncStream<PodUpdate>.Iterator

        mutating func next() async -> String {
            switch await updates.next(isolation: nil) {
            case .snapshotComplete(let source): "complete \(source)"
            case .applied(let pod, _): "+\(pod.metadata.name ?? "") \(pod.spec.containers.first?.image ?? "")"
            case .removed(let pod, _): "-\(pod.metadata.name ?? "") \(pod.spec.containers.first?.image ?? "")"
            case nil: "end"
            }
        }
    }

    private func write(_ path: String, _ text: String) throws {
        let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(Array(text.utf8))
    }

    private func pod(_ name: String, _ image: String) -> String {
        "{apiVersion: v1, kind: Pod, metadata: {name: \(name)}, spec: {containers: [{name: c, image: 'i\(image)'}]}}\n"
    }

    @Test("files that are there come first, then every change")
    func follows() async throws {
        try await withDirectory { directory in
            try write(directory + "/a.yaml", pod("a", "1"))
            try write(directory + "/.hidden", pod("hidden", "1"))
            try write(directory + "/bad.yaml", "kind: [")
            try FileSystem.makeDirectories(directory + "/sub")
            try await withSource(directory) { source, told in
                #expect(await told.next() == "+a-n i1")
                #expect(await told.next() == "complete file")
                #expect(await source.problems.map(\.file) == [directory + "/bad.yaml"])
                try write(directory + "/b.yaml", pod("b", "1"))
                #expect(await told.next() == "+b-n i1")
                try write(directory + "/b.yaml", pod("b", "2"))
                #expect(await told.next() == "-b-n i1")
                #expect(await told.next() == "+b-n i2")
                // As editors do: a new file takes the name.
                try write(directory + "/.new", pod("a", "2"))
                rename(directory + "/.new", directory + "/a.yaml")
                #expect(await told.next() == "-a-n i1")
                #expect(await told.next() == "+a-n i2")
                unlink(directory + "/b.yaml")
                #expect(await told.next() == "-b-n i2")
            }
        }
    }

    @Test("a claim is known before its pod is told, with the volume of a later file")
    func claim() async throws {
        try await withDirectory { directory in
            let spec = "accessModes: [ReadWriteOnce]"
            try write(
                directory + "/claim.yaml",
                pod("mine", "1") + "---\n{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: data}, "
                    + "spec: {\(spec), resources: {requests: {storage: 1Gi}}}}\n")
            try write(
                directory + "/volume.yaml",
                "{kind: PersistentVolume, apiVersion: v1, metadata: {name: disk}, spec: {\(spec), hostPath: {path: /disk}, "
                    + "capacity: {storage: 1Gi}, claimRef: {namespace: default, name: data}}}\n")
            try await withSource(directory) { source, told in
                #expect(await told.next() == "+mine-n i1")
                let bound = try source.objects.claim(namespace: "default", name: "data")
                #expect(
                    bound
                        == .hostPath(
                            HostPathVolumeSource(path: "/disk"), field: "persistentvolume \"disk\": spec.hostPath"))
                let other = try source.objects.claim(namespace: "other", name: "data")
                #expect(other == nil)
                #expect(await told.next() == "complete file")
                #expect(await source.problems == [])
            }
        }
    }

    @Test("what a claim is bound to is not guessed before the manifests were read")
    func unreadClaim() {
        #expect(throws: VolumeError(.sourceUnavailable, "the node's manifests have not been read yet")) {
            try LocalObjects().claim(namespace: "default", name: "data")
        }
    }

    @Test("a bad edit keeps the pod running until the file is good again or gone")
    func badEdit() async throws {
        try await withDirectory { directory in
            try write(directory + "/a.yaml", pod("a", "1"))
            try await withSource(directory) { source, told in
                #expect(await told.next() == "+a-n i1")
                #expect(await told.next() == "complete file")
                try write(directory + "/a.yaml", "kind: Pod\napiVersion: v1\n")
                // Files are taken in order: what this one tells comes after the bad edit.
                try write(directory + "/z.yaml", pod("z", "1"))
                #expect(await told.next() == "+z-n i1")
                #expect(await source.problems.allSatisfy { $0.message.hasSuffix("stays in force") })
                #expect(await source.problems.isEmpty == false)
                try write(directory + "/a.yaml", pod("a", "2"))
                #expect(await told.next() == "-a-n i1")
                #expect(await told.next() == "+a-n i2")
                #expect(await source.problems.isEmpty)
            }
        }
    }

    @Test("a missing directory is an empty source, and is noticed when it appears, goes and comes back")
    func missingDirectory() async throws {
        try await withDirectory { parent in
            let directory = parent + "/etc/manifests"
            try await withSource(directory) { _, told in
                #expect(await told.next() == "complete file")
                for round in 1...2 {
                    try FileSystem.makeDirectories(directory)
                    try write(directory + "/a.yaml", pod("a", "\(round)"))
                    #expect(await told.next() == "+a-n i\(round)")
                    try FileSystem.removeTree(parent + "/etc")
                    #expect(await told.next() == "-a-n i\(round)")
                }
            }
        }
    }

    @Test("what is no manifest is refused without blocking: a FIFO, a huge file, binary data")
    func noManifests() async throws {
        try await withDirectory { directory in
            mkfifo(directory + "/fifo", 0o600)
            try write(directory + "/huge", "")
            truncate(directory + "/huge", off_t(ManifestFile.maximumBytes) + 1)
            let file = try OwnedDescriptor.open(directory + "/zbinary", O_WRONLY | O_CREAT, mode: 0o600)
            try file.writeAll([0xFF, 0xFE, 0x00])
            try await withSource(directory) { source, told in
                #expect(await told.next() == "complete file")
                let problems = await source.problems.map(\.message)
                #expect(problems.count == 3)
                #expect(problems.first?.hasSuffix("/fifo: not a regular file") == true)
                #expect(problems.dropFirst().first?.contains("more than the limit") == true)
                #expect(problems.last?.hasSuffix("not valid UTF-8") == true)
            }
        }
    }

    @Test("ConfigMaps and Secrets of the files are there before the pods that use them")
    func objects() async throws {
        try await withDirectory { directory in
            let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {k: v}}\n---\n"
            try write(directory + "/a.yaml", map + pod("a", "1"))
            try await withSource(directory) { source, told in
                #expect(await told.next() == "+a-n i1")
                #expect(source.objects.configMap(namespace: "default", name: "m")?.data == ["k": "v"])
                #expect(source.objects.secret(namespace: "default", name: "m") == nil)
            }
        }
    }
}
