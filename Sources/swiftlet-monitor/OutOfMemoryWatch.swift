import CLinux
import MonitorCoreEmbedded

/// Learns of an out-of-memory kill in the container's cgroup.
///
/// On v2 `memory.oom.group` ends the whole container and the counter is read at the end. On v1 the kernel ends one process only;
/// an eventfd on memory.oom_control tells the monitor, which ends the rest: the same result on every host.
struct OutOfMemoryWatch: ~Copyable {
    private let eventsFile: CString?
    /// Readable when the cgroup hits its limit (v1); -1 otherwise.
    private(set) var eventDescriptor: Int32 = -1

    init(eventsFile: CString?, controlFile: CString?) {
        self.eventsFile = eventsFile
        guard let eventsFile, let controlFile else { return }
        let control = eventsFile.withPointer { CLinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        if control < 0 { return }
        defer { close(control) }
        let event = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if event < 0 { return }
        var registration = decimal(event)
        registration.append(0x20)
        registration.append(contentsOf: decimal(control))
        let file = controlFile.withPointer { CLinux_open($0, O_WRONLY | O_CLOEXEC, 0) }
        if file < 0 {
            close(event)
            return
        }
        do {
            try writeAll(file, registration)
            eventDescriptor = event
        } catch { close(event) }
        close(file)
    }

    /// Consumes the event.
    func acknowledge() {
        var value: UInt64 = 0
        _ = read(eventDescriptor, &value, 8)
    }

    /// How many processes of the cgroup the kernel has killed for memory: the `oom_kill` line.
    func kills() -> UInt64 {
        guard let eventsFile else { return 0 }
        do { return OutOfMemoryWatch.parse(try readFile(eventsFile)) } catch { return 0 }
    }

    private static func parse(_ text: [UInt8]) -> UInt64 {
        let key: StaticString = "oom_kill "
        let size = key.utf8CodeUnitCount
        var lineStart = 0
        while lineStart + size < text.count {
            var matches = true
            key.withUTF8Buffer { key in
                for index in 0..<size where text[lineStart + index] != key[index] { matches = false }
            }
            var position = lineStart
            if matches {
                var value: UInt64 = 0
                position += size
                while position < text.count, text[position] >= 0x30, text[position] <= 0x39 {
                    value = value &* 10 &+ UInt64(text[position] - 0x30)
                    position += 1
                }
                return value
            }
            while position < text.count, text[position] != 10 { position += 1 }
            lineStart = position + 1
        }
        return 0
    }
}
