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
}
