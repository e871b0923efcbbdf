import KubernetesAPI
import Testing
import Volumes

@testable import NodeAgent

@Suite("Which storage a claim of the manifests has")
struct ClaimBindingTests {
    private static let size = "resources: {requests: {storage: 1Gi}}"

    private static func claim(_ name: String, volume: String = "") -> String {
        "---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: \(name)}, spec: {accessModes: [ReadWriteOnce], "
            + "\(size), volumeName: '\(volume)'}}\n"
    }

    private static func volume(_ name: String, _ source: String, for claim: String? = nil) -> String {
        let reference = claim.map { ", claimRef: {namespace: default, name: \($0)}" } ?? ""
        return "---\n{apiVersion: v1, kind: PersistentVolume, metadata: {name: \(name)}, "
            + "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, \(source)\(reference)}}\n"
    }

    private static func host(_ path: String, _ volume: String) -> ClaimStorage {
        .hostPath(HostPathVolumeSource(path: path), field: "persistentvolume \"\(volume)\": spec.hostPath")
    }

    private static let disk = volume("disk", "hostPath: {path: /disk}")

    @Test(
        "a claim gets the volume it names, or the one reserved for it, or a directory of the node's",
        arguments: [
            (claim("a"), ["a": .directory]),
            // A volume nobody asked for is nobody's.
            (claim("a") + disk, ["a": .directory]),
            (claim("a", volume: "disk") + disk, ["a": host("/disk", "disk")]),
            (disk + claim("a", volume: "disk"), ["a": host("/disk", "disk")]),
            (
                claim("a") + volume("disk", "hostPath: {path: /disk}", for: "a"), ["a": host("/disk", "disk")]
            ),
            (
                claim("a", volume: "disk") + volume("disk", "hostPath: {path: /disk}", for: "a"),
                ["a": host("/disk", "disk")]
            ),
            (
                claim("a", volume: "disk") + volume("disk", "local: {path: /mnt/disk}"),
                [
                    "a": .local("/mnt/disk", field: "persistentvolume \"disk\": spec.local")
                ]
            ),
            (
                claim("a", volume: "gone"),
                ["a": .unbound("no manifest of this node defines persistentvolume \"gone\"")]
            ),
            (
                claim("b", volume: "disk") + claim("a", volume: "disk") + disk,
                [
                    "b": host("/disk", "disk"),
                    "a": .unbound("persistentvolume \"disk\" is taken by claim \"default/b\""),
                ]
            ),
            (
                claim("a", volume: "disk") + claim("b") + volume("disk", "hostPath: {path: /disk}", for: "b"),
                [
                    "a": .unbound("persistentvolume \"disk\" is reserved for claim \"default/b\""),
                    "b": host("/disk", "disk"),
                ]
            ),
            (
                claim("a") + volume("one", "hostPath: {path: /x}", for: "a")
                    + volume("two", "local: {path: /z}", for: "a"),
                [
                    "a": .unbound(
                        "persistentvolumes \"one\", \"two\" are all reserved for it; name one in spec.volumeName")
                ]
            ),
            (
                claim("a", volume: "share") + volume("share", "nfs: {server: s, path: /}"),
                ["a": .network(NetworkExport(server: "s", path: "/"))]
            ),
            (
                claim("a", volume: "disk") + volume("disk", "csi: {driver: d.example.org, volumeHandle: h}"),
                ["a": .driver(DriverVolume(driver: "d.example.org", handle: "h"))]
            ),
            (
                claim("a", volume: "disk") + volume("disk", "iscsi: {}"),
                [
                    "a": .unbound(
                        "persistentvolume \"disk\" is of type iscsi, this node has hostPath, local, nfs and csi")
                ]
            ),
        ] as [(String, [String: ClaimStorage])])
    func table(text: String, expected: [String: ClaimStorage]) throws {
        var catalog = ManifestCatalog()
        _ = catalog.update("m", .good(try ManifestFile.parse(text, file: "m", nodeName: "n")))
        #expect(catalog.claims == Dictionary(uniqueKeysWithValues: expected.map { ("default/\($0)", $1) }))
    }

    @Test("claims and volumes of different files are bound, and anew when one changes")
    func files() throws {
        var catalog = ManifestCatalog()
        func read(_ text: String) throws -> ManifestCatalog.Reading {
            .good(try ManifestFile.parse(text, file: "m", nodeName: "n"))
        }
        _ = catalog.update("a", try read(Self.claim("data", volume: "disk")))
        _ = catalog.update("b", try read(Self.disk))
        #expect(catalog.claims == ["default/data": Self.host("/disk", "disk")])
        _ = catalog.update("b", try read(Self.volume("disk", "hostPath: {path: /new}")))
        #expect(catalog.claims == ["default/data": Self.host("/new", "disk")])
        // A bad edit leaves in force what was there.
        _ = catalog.update("b", .bad([ManifestProblem(file: "b", message: "bad")]))
        #expect(catalog.claims == ["default/data": Self.host("/new", "disk")])
        _ = catalog.update("b", .gone)
        #expect(
            catalog.claims == [
                "default/data": .unbound("no manifest of this node defines persistentvolume \"disk\"")
            ])
        _ = catalog.update("a", .gone)
        #expect(catalog.claims.isEmpty)
    }

    @Test(
        "documents that cannot be carried out are refused with the field",
        arguments: [
            ("PersistentVolumeClaim", "", "spec.accessModes: Required value"),
            ("PersistentVolumeClaim", "accessModes: [Anyhow]", "spec.accessModes[0]: Unsupported value: \"Anyhow\""),
            ("PersistentVolumeClaim", "accessModes: []", "spec.resources.requests[storage]: Required value"),
            ("PersistentVolumeClaim", "volumeMode: Raw", "spec.volumeMode: Unsupported value: \"Raw\""),
            ("PersistentVolumeClaim", "volumeName: ../x", "spec.volumeName: Invalid value: \"../x\""),
            ("PersistentVolumeClaim", "volumename: x", "spec.volumename: unknown field"),
            ("PersistentVolumeClaim", "selector: {}", "spec.selector: Forbidden"),
            ("PersistentVolumeClaim", "dataSource: {kind: VolumeSnapshot, name: x}", "spec.dataSource: Forbidden"),
            (
                "PersistentVolumeClaim", "resources: {requests: {storage: -1}}",
                "spec.resources.requests[storage]: Invalid value"
            ),
            ("PersistentVolumeClaim", "resources: {requests: {storage: x}}", "spec.resources.requests"),
            ("PersistentVolume", "hostPath: {path: /x}", "spec.capacity[storage]: Required value"),
            ("PersistentVolume", "capacity: {storage: 1}", "spec: Required value: must specify a volume type"),
            ("PersistentVolume", "hostPath: {path: x}", "spec.hostPath.path: Invalid value: \"x\""),
            ("PersistentVolume", "hostPath: {path: /x/../y}", "spec.hostPath.path: Invalid value: \"/x/../y\""),
            ("PersistentVolume", "hostPath: {path: /x, type: Pipe}", "spec.hostPath.type: Unsupported value"),
            ("PersistentVolume", "local: {path: ''}", "spec.local.path: Required value"),
            ("PersistentVolume", "local: {path: \"/a\\0b\"}", "spec.local.path: Invalid value"),
            ("PersistentVolume", "local: {path: ../x}", "spec.local.path: Invalid value"),
            ("PersistentVolume", "local: {path: /x}\n  hostPath: {path: /x}", "spec.local: Forbidden"),
            ("PersistentVolume", "volumeMode: Raw", "spec.volumeMode: Unsupported value: \"Raw\""),
            ("PersistentVolume", "claimRef: {name: a}", "spec.claimRef.namespace: Required value"),
            ("PersistentVolume", "claimRef: {namespace: ../b, name: a}", "spec.claimRef.namespace: Invalid value"),
            ("PersistentVolume", "hostPath: {path: /x}\n  mountOptions: [dev]", "spec.mountOptions: Forbidden"),
            (
                "PersistentVolume", "persistentVolumeReclaimPolicy: Delete",
                "spec.persistentVolumeReclaimPolicy: Unsupported value: \"Delete\""
            ),
            ("PersistentVolume", "zfs: {}", "spec.zfs: unknown field"),
        ])
    func mistakes(kind: String, field: String, expected: String) {
        let text = "kind: \(kind)\napiVersion: v1\nmetadata: {name: a}\nspec:\n  \(field)\n"
        #expect(problems(text).contains { $0.hasPrefix("m:") && $0.contains(expected) }, "\(problems(text))")
    }

    @Test(
        "names that could form another path are refused",
        arguments: [
            "name: ..", "name: a/b", "name: .a", "name: 'a\\0'", "name: ''", "generateName: a", "{}",
            "name: a\n  namespace: ..", "name: a\n  namespace: a/b", "name: a\n  namespace: a.b",
            "name: \(String(repeating: "a", count: 254))",
        ])
    func names(metadata: String) {
        let text =
            "kind: PersistentVolumeClaim\napiVersion: v1\nmetadata:\n  \(metadata)\nspec:\n"
            + "  accessModes: [ReadWriteOnce]\n  \(Self.size)\n"
        #expect(problems(text).contains { $0.contains(": metadata.name") }, "\(problems(text))")
    }

    private func problems(_ text: String) -> [String] {
        do throws(ManifestFile.ManifestProblems) {
            _ = try ManifestFile.parse(text, file: "m", nodeName: "n")
            return []
        } catch { return error.list.map(\.message) }
    }
}
