import CZlib
import Glibc
import LinuxKernel
import SystemPackage

/// Compresses what a log was rotated out of. Blocking.
enum LogCompression {
    /// While it is written: never part of a log.
    static let temporarySuffix = ".tmp"

    /// The files of a directory that are compressed next: every rotated one but the newest of each log, which readers are likely to
    /// be at.
    static func due(in names: [String]) -> [RotatedLog] {
        RotatedLog.logs(in: names).sorted().flatMap { log in
            RotatedLog.find(log, in: names).dropLast().filter { !$0.isCompressed }
        }
    }

    /// Leftovers of a compression that was cut short.
    static func leftovers(in names: [String]) -> [String] {
        names.filter { $0.hasSuffix(RotatedLog.compressedSuffix + temporarySuffix) }
    }

    /// Puts `path`.gz into the place of `path`, with its times: by them a reader that still has the old one open finds on.
    ///
    /// The monitor may give the file up at any moment: then nothing is left of either.
    static func compress(_ path: String) throws(KernelError) {
        let target = path + RotatedLog.compressedSuffix
        let temporary = target + temporarySuffix
        do throws(KernelError) {
            try write(path, to: temporary)
            try kernelCall("rename", target) { rename(temporary, target) }
        } catch {
            unlink(temporary)
            if error.errno == .noSuchFileOrDirectory { return }
            throw error
        }
        // It was removed meanwhile, and its compressed form looked for in vain.
        if unlink(path) != 0, Errno.current == .noSuchFileOrDirectory { unlink(target) }
    }

    /// The length of what was compressed, modulo 2^32: the last four bytes of the format (RFC 1952). Nil when it cannot be read.
    static func contentLength(_ path: String) -> UInt32? {
        guard let file = try? OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW) else { return nil }
        var bytes: [UInt8] = [0, 0, 0, 0]
        let end = lseek(file.raw, 0, SEEK_END)
        guard end >= 18, pread(file.raw, &bytes, 4, end - 4) == 4 else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func write(_ path: String, to temporary: String) throws(KernelError) {
        let source = try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        var status = stat()
        try kernelCall("fstat", path) { fstat(source.raw, &status) }
        unlink(temporary)
        let output = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640)
        let copy = try output.duplicate()
        guard let stream = gzdopen(copy.raw, "wb") else { throw KernelError("gzdopen", temporary, errno: .noMemory) }
        _ = copy.release()
        var failure: KernelError?
        do throws(KernelError) {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = try kernelCall("read", path) { read(source.raw, &buffer, buffer.count) }
                if count == 0 { break }
                guard gzwrite(stream, buffer, UInt32(count)) == Int32(count) else {
                    throw KernelError("gzwrite", temporary, errno: .noSpace)
                }
            }
        } catch { failure = error }
        if gzclose(stream) != Z_OK, failure == nil {
            failure = KernelError("gzclose", temporary, errno: .noSpace)
        }
        if let failure { throw failure }
        let times = [status.st_atim, status.st_mtim]
        try kernelCall("futimens", temporary) { futimens(output.raw, times) }
    }
}
