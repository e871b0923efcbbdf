import LinuxKernel
import SystemPackage

/// The files of one attempt's log on disk: those it was rotated out of, oldest first, and the one being written. Blocking.
struct LogFiles: Sendable {
    /// Of the file being written.
    let path: String
    private let directory: String
    private let name: String

    init(path: String) {
        self.path = path
        let parts = FilePath(path)
        directory = parts.removingLastComponent().string
        name = parts.lastComponent?.string ?? ""
    }

    /// Where reading begins.
    struct Start {
        var input: LogInput
        /// To be skipped, in bytes of content.
        var offset: Int
    }

    /// - Parameters:
    ///   - lines: only so many from the end; nil for all that is left.
    ///   - since: files last written before it are passed over.
    func start(lines: Int64?, sinceSeconds: Int64?) throws(KernelError) -> Start {
        var tries = 0
        while true {
            do throws(KernelError) { return try tryStart(lines: lines, sinceSeconds: sinceSeconds) } catch {
                // Rotated, compressed or removed between the look at the directory and the open.
                tries += 1
                guard error.errno == .noSuchFileOrDirectory, tries < 64 else { throw error }
            }
        }
    }

    private func tryStart(lines: Int64?, sinceSeconds: Int64?) throws(KernelError) -> Start {
        let all = try rotated()
        let rotated = all.filter { file in
            guard let sinceSeconds, let time = LogInput.Identity(path: place(file)) else { return true }
            return time.modifiedAt / 1_000_000_000 >= sinceSeconds
        }
        guard let lines else {
            guard let oldest = rotated.first else { return Start(input: try current(after: all), offset: 0) }
            return Start(input: try open(oldest), offset: 0)
        }
        var start = Start(input: try current(after: all), offset: 0)
        var tail = try start.input.tail(lines)
        var missing = lines - tail.found
        for file in rotated.reversed() where missing > 0 {
            tail = try open(file).tail(missing)
            start.input = try open(file)
            missing -= tail.found
        }
        start.offset = tail.offset
        guard try self.rotated().map(\.name) == all.map(\.name) else {
            throw KernelError("open", path, errno: .noSuchFileOrDirectory)
        }
        return start
    }

    /// What goes on where `input` ends; nil when it is the file being written, or the next one is not there yet.
    func successor(of input: LogInput) throws(KernelError) -> LogInput? {
        let identity = try input.identity()
        if let written = LogInput.Identity(path: path), written.isFile(identity) { return nil }
        var tries = 0
        while true {
            let files = try rotated()
            let index =
                files.firstIndex { LogInput.Identity(path: place($0))?.isFile(identity) == true }
                ?? (input.isCompressed ? nil : files.firstIndex { isCompressed($0, from: identity) })
            tries += 1
            // Not found once, it may have changed its name under the look at the directory; twice, it was given up for newer
            // ones, and what is left begins with the oldest.
            if index == nil, tries < 2 { continue }
            let next = index.map { files.index(after: $0) } ?? files.startIndex
            do throws(KernelError) {
                return next < files.endIndex ? try open(files[next]) : try current(after: files)
            } catch {
                guard error.errno == .noSuchFileOrDirectory else { throw error }
                // The new file is not at its place yet, or rotation is faster than this look.
                if tries >= 16 { return nil }
            }
        }
    }

    /// Whether this is what became of a plain file that is still open: many files of a log may end within one tick of the
    /// file system's clock, so the length counts, too.
    private func isCompressed(_ file: RotatedLog, from identity: LogInput.Identity) -> Bool {
        guard file.isCompressed, let other = LogInput.Identity(path: place(file)), other.hasTime(of: identity) else {
            return false
        }
        return LogCompression.contentLength(place(file)) == UInt32(truncatingIfNeeded: identity.size)
    }

    private func rotated() throws(KernelError) -> [RotatedLog] {
        RotatedLog.find(name, in: try FileSystem.list(directory))
    }

    private func place(_ file: RotatedLog) -> String { directory + "/" + file.fileName }

    private func open(_ file: RotatedLog) throws(KernelError) -> LogInput {
        try LogInput(place(file), isCompressed: file.isCompressed)
    }

    /// The file being written, provided that it goes on where the rotated ones end: one rotated since the look at the directory would
    /// be passed over.
    private func current(after rotated: [RotatedLog]) throws(KernelError) -> LogInput {
        let input = try LogInput(path, isCompressed: false)
        guard try self.rotated().last?.name == rotated.last?.name else {
            throw KernelError("open", path, errno: .noSuchFileOrDirectory)
        }
        return input
    }
}
