import CLinux
import MonitorCoreEmbedded

/// The container's CRI log: framed lines of stdout and stderr, appended in whole entries.
struct LogFile: ~Copyable {
    private let path: CString
    private var file: Descriptor
    private var standardOutput = LogFraming(stream: "stdout")
    private var standardError = LogFraming(stream: "stderr")

    init(path: CString) throws(SystemError) {
        self.path = path
        file = try LogFile.open(path)
    }

    private static func open(_ path: CString) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        return Descriptor(owning: try call { path.withPointer { CLinux_open($0, flags, 0o640) } })
    }

    /// After a rotation: what is written next goes to the new file at the old path.
    mutating func reopen() {
        // The old file stays when the new one cannot be opened: output is worth more than its place.
        do { file = try LogFile.open(path) } catch {}
    }

    mutating func append(_ bytes: ArraySlice<UInt8>, isError: Bool) {
        var entries: [UInt8] = []
        let now = Int64(CLinux_realtime_nanoseconds())
        if isError {
            standardError.append(bytes, at: now, to: &entries)
        } else {
            standardOutput.append(bytes, at: now, to: &entries)
        }
        write(entries)
    }

    mutating func finish() {
        var entries: [UInt8] = []
        let now = Int64(CLinux_realtime_nanoseconds())
        standardOutput.finish(at: now, to: &entries)
        standardError.finish(at: now, to: &entries)
        write(entries)
    }

    /// On a full disk entries are dropped, each as a whole: a container must never block on its log.
    private func write(_ entries: [UInt8]) {
        if entries.isEmpty { return }
        let end = lseek(file.raw, 0, SEEK_END)
        do { try writeAll(file.raw, entries) } catch { if end >= 0 { ftruncate(file.raw, end) } }
    }
}
