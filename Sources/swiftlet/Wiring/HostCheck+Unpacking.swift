import ContainerImages
import ContainerRuntime
import Glibc
import LinuxKernel
import NodeAgent

extension HostCheck {
    /// Starts a process that is confined as those are that unpack images, and has it try to get out.
    static func unpacking() -> HostFinding {
        let fix = "run swiftlet as root, with CAP_SYS_ADMIN, on a host that allows namespaces and seccomp"
        var template = Array("/tmp/swiftlet-check-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            return HostFinding(
                .failure, "image unpacking", "no directory can be made below /tmp", fix: "make room in /tmp")
        }
        defer { rmdir(template) }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            let attempts = try UnpackJail(filter: try UnpackingFilter.program()).attempts(in: directory)
            let open = attempts.filter { $0.errno == 0 }.map(\.name)
            guard open.isEmpty, !attempts.isEmpty else {
                return HostFinding(
                    .failure, "image unpacking", "its processes can \(open.joined(separator: ", "))", fix: fix)
            }
            return HostFinding(
                .ok, "image unpacking", "confined: \(attempts.count) ways out of it were tried, and none is open")
        } catch {
            return HostFinding(.failure, "image unpacking", "images cannot be pulled: \(error)", fix: fix)
        }
    }
}
