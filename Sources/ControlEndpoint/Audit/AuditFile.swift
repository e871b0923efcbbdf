internal import Glibc
internal import LinuxKernel

/// The audit log's files: one that grows to its limit, and so many older ones.
struct AuditFile: ~Copyable, Sendable {
    private let configuration: AuditConfiguration
    private var current: OwnedDescriptor?
    private var byteCount = 0

    init(_ configuration: AuditConfiguration) {
        self.configuration = configuration
    }

    /// Each becomes a line. None is cut by the change of files.
    mutating func append(_ lines: [[UInt8]]) throws(KernelError) {
        if current == nil { try open() }
        var pending: [UInt8] = []
        for line in lines {
            if byteCount + pending.count + line.count + 1 > configuration.maximumBytes, byteCount + pending.count > 0 {
                try write(pending)
                pending = []
                try rotate()
            }
            pending += line
            pending.append(UInt8(ascii: "\n"))
        }
        try write(pending)
    }

    private mutating func write(_ bytes: [UInt8]) throws(KernelError) {
        guard !bytes.isEmpty else { return }
        if current == nil { try open() }
        guard let raw = current?.raw else { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try kernelCall("write", configuration.path) {
                rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
            byteCount += count
        }
    }

    private mutating func open() throws(KernelError) {
        let directory = configuration.path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        // Names and addresses of what people do: for the administrator alone.
        try FileSystem.makeDirectories(directory, mode: 0o700)
        let opened = try OwnedDescriptor.open(
            configuration.path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
        let end = lseek(opened.raw, 0, SEEK_END)
        byteCount = max(0, Int(end))
        current = consume opened
    }

    private mutating func rotate() throws(KernelError) {
        current = nil
        byteCount = 0
        let path = configuration.path
        guard configuration.maximumFiles > 1 else {
            try kernelCall("unlink", path) { unlink(path) }
            return
        }
        for number in stride(from: configuration.maximumFiles - 2, through: 0, by: -1) {
            let (from, to) = (number == 0 ? path : "\(path).\(number)", "\(path).\(number + 1)")
            // Of those that are not there yet nothing is to be moved.
            guard FileSystem.exists(from) else { continue }
            try kernelCall("rename", from) { rename(from, to) }
        }
    }
}
