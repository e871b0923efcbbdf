import MonitorCoreEmbedded

/// The data of an overlay mount: `lowerdir=A:B,upperdir=U,workdir=W,volatile`.
///
/// `volatile` leaves out the sync of the whole upper file system at unmount: a container's writable layer dies with it, and
/// after a crash nobody mounts it again.
struct OverlayOptions {
    private var lower: [UInt8] = []
    private let upper: CString
    private let work: CString

    init(upper: CString, work: CString) {
        self.upper = upper
        self.work = work
    }

    /// Topmost first.
    mutating func addLower(_ directory: CString) {
        if !lower.isEmpty { lower.append(0x3A) }
        for byte in directory.text {
            // Separators of the option syntax are escaped by a backslash.
            if byte == 0x3A || byte == 0x2C || byte == 0x5C { lower.append(0x5C) }
            lower.append(byte)
        }
    }

    mutating func addLower(descriptor: Int32) {
        if !lower.isEmpty { lower.append(0x3A) }
        append("/proc/self/fd/", to: &lower)
        lower.append(contentsOf: decimal(descriptor))
    }

    var text: [UInt8] {
        var text: [UInt8] = []
        append("lowerdir=", to: &text)
        text.append(contentsOf: lower)
        append(",upperdir=", to: &text)
        text.append(contentsOf: escaped(upper))
        append(",workdir=", to: &text)
        text.append(contentsOf: escaped(work))
        append(",volatile", to: &text)
        return text
    }

    private func escaped(_ path: CString) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in path.text {
            if byte == 0x2C || byte == 0x5C { bytes.append(0x5C) }
            bytes.append(byte)
        }
        return bytes
    }

    private func append(_ literal: StaticString, to bytes: inout [UInt8]) {
        literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}
