import CLinux
import MonitorCoreEmbedded

/// Holds the cgroup that pods hang below: systemd keeps a unit's delegated subtree for as long as a process lives in it.
///
/// The process moves itself to a child cgroup first: on v2 a cgroup with processes cannot hand controllers to children.
enum Anchor {
    static func hold() -> Never {
        var path: [UInt8] = []
        if let own = ownCgroup() {
            append("/sys/fs/cgroup", to: &path)
            path.append(contentsOf: own)
            append("/anchor", to: &path)
            if let directory = CString(path) {
                _ = directory.withPointer { mkdir($0, 0o755) }
                append("/cgroup.procs", to: &path)
                if let file = CString(path) {
                    let descriptor = file.withPointer { CLinux_open($0, O_WRONLY | O_CLOEXEC, 0) }
                    if descriptor >= 0 {
                        let zero: [UInt8] = [0x30]
                        _ = write(descriptor, zero, 1)
                        close(descriptor)
                    }
                }
            }
        }
        while true { pause() }
    }

    /// The path after `0::` in /proc/self/cgroup.
    private static func ownCgroup() -> [UInt8]? {
        let text: [UInt8]
        do { text = try readFile(CString(terminated: "/proc/self/cgroup")) } catch { return nil }
        for line in text.split(separator: 10) {
            let bytes = [UInt8](line)
            if bytes.count > 3, bytes[0] == 0x30, bytes[1] == 0x3A, bytes[2] == 0x3A { return [UInt8](bytes[3...]) }
        }
        return nil
    }

    private static func append(_ literal: StaticString, to bytes: inout [UInt8]) {
        literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}
