import CLinux
import MonitorCoreEmbedded

/// The container's CRI log: framed lines of stdout and stderr, appended in whole entries, and rotated when it has a limit.
struct LogFile: ~Copyable {
    private let path: CString
    private var file: Descriptor
    private var rotation: LogRotation?
    private var standardOutput = LogFraming(stream: "stdout")
    private var standardError = LogFraming(stream: "stderr")

    init(path: CString, limit: LogLimit?) throws(SystemError) {
        self.path = path
        rotation = limit.map { LogRotation($0) }
        file = try LogFile.open(path)
    }

    private static func open(_ path: CString) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        return Descriptor(owning: try call { path.withPointer { CLinux_open($0, flags, 0o640) } })
    }

    /// After a rotation by somebody else: what is written next goes to the new file at the old path.
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
        write(entries[...], at: now)
    }

    mutating func finish() {
        var entries: [UInt8] = []
        let now = Int64(CLinux_realtime_nanoseconds())
        standardOutput.finish(at: now, to: &entries)
        standardError.finish(at: now, to: &entries)
        write(entries[...], at: now)
    }

    private mutating func write(_ entries: ArraySlice<UInt8>, at now: Int64) {
        var rest = entries
        while !rest.isEmpty {
            let end = lseek(file.raw, 0, SEEK_END)
            var count = rest.count
            if let rotation {
                count = rotation.fitting(rest, size: UInt64(clamping: end))
                if count == 0 {
                    // Dropped when there can be no new file: beyond its limit the log does not grow.
                    if rotate(at: now) { continue } else { return }
                }
            }
            write(rest.prefix(count), end: Int64(end))
            rest = rest.dropFirst(count)
        }
    }

    /// On a full disk entries are dropped, each as a whole: a container must never block on its log.
    private func write(_ entries: ArraySlice<UInt8>, end: Int64) {
        do { try writeAll(file.raw, entries) } catch { if end >= 0 { ftruncate(file.raw, Int(end)) } }
    }

    // MARK: Rotation

    /// The oldest file goes first, so that a disk without inodes has one for the new file. That one is open before the old one's
    /// name changes: a reader finds the log at its path, but for one moment, and the old one closed when it is complete.
    private mutating func rotate(at now: Int64) -> Bool {
        guard var rotation else { return false }
        for suffix in rotation.makeRoom() { remove(suffix) }
        let suffix = rotation.nextSuffix(at: now)
        self.rotation = rotation
        let (path, next, old) = (path, named(".next"), named(suffix))
        LogFile.remove(next)
        do throws(SystemError) {
            let opened = try LogFile.open(next)
            guard LogFile.move(path, to: old) else { return false }
            guard LogFile.move(next, to: path) else {
                _ = LogFile.move(old, to: path)
                return false
            }
            file = opened
        } catch { return false }
        rotation.didRotate(suffix)
        self.rotation = rotation
        return true
    }

    private static func move(_ from: CString, to: CString) -> Bool {
        from.withPointer { from in to.withPointer { rename(from, $0) } } == 0
    }

    private static func remove(_ path: CString) { path.withPointer { _ = unlink($0) } }

    /// The agent may be compressing it just now: it looks whether its source is still there when it is done.
    private func remove(_ suffix: [UInt8]) {
        LogFile.remove(named(suffix))
        LogFile.remove(named(suffix, ".gz"))
    }

    private func named(_ suffix: [UInt8], _ ending: StaticString = "") -> CString {
        var bytes = [UInt8](path.text)
        bytes.append(contentsOf: suffix)
        ending.withUTF8Buffer { bytes.append(contentsOf: $0) }
        // Neither the path nor a suffix holds a NUL.
        return CString(bytes) ?? path
    }

    private func named(_ ending: StaticString) -> CString { named([], ending) }
}
