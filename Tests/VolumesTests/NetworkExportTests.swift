import KubernetesAPI
import Testing

@testable import Volumes

struct NetworkExportTests {
    @Test("mount.nfs is told the server, the path and the options")
    func arguments() throws {
        #expect(
            try NetworkExport(server: "nas.example.org", path: "/a b").arguments(target: "/t")
                == ["nas.example.org:/a b", "/t"])
        let options = NetworkExport(
            server: "fd00::1", path: "/", readOnly: true, mountOptions: ["nfsvers=4.2", "hard"])
        #expect(
            try options.arguments(target: "/t") == ["[fd00::1]:/", "/t", "-o", "nfsvers=4.2,hard,ro"])
    }

    @Test(
        "what mount.nfs could take for something else is refused",
        arguments: [
            NetworkExport(server: "-o", path: "/x"), NetworkExport(server: "", path: "/x"),
            NetworkExport(server: "a b", path: "/x"), NetworkExport(server: "a,b", path: "/x"),
            NetworkExport(server: "a", path: "/x\n"), NetworkExport(server: "a", path: "/x", mountOptions: ["ro,dev"]),
            NetworkExport(server: "a", path: "/x", mountOptions: [""]),
        ])
    func refused(export: NetworkExport) {
        #expect(throws: VolumeError.self) { try export.arguments(target: "/t") }
    }

    @Test("only mounts from other machines below the directory are taken away, deepest first")
    func points() {
        let table = """
            30 1 0:26 / / rw shared:1 - ext4 /dev/a rw
            31 30 0:27 / /pods/u/volumes/kubernetes.io~nfs/a rw - nfs4 s:/a rw
            32 31 0:28 / /pods/u/volumes/kubernetes.io~nfs/a/b rw shared:3 master:1 - nfs s:/b rw
            33 30 0:29 / /pods/u/volumes/kubernetes.io~secret/s rw - tmpfs tmpfs rw
            34 30 0:30 / /pods/u2/volumes/kubernetes.io~nfs/a rw - nfs4 s:/a rw
            35 30 0:31 / /pods/u - nfs4
            """
        #expect(
            NetworkExport.points(in: table, below: "/pods/u") == [
                "/pods/u/volumes/kubernetes.io~nfs/a/b", "/pods/u/volumes/kubernetes.io~nfs/a",
            ])
    }
}
