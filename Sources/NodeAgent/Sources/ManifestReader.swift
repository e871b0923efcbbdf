import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Reads manifest files from the disk. Blocking: for the kernel thread pool.
enum ManifestReader {
    /// - Returns: what became of the file; nil when it is being written right now.
    static func read(_ path: String, nodeName: String) -> ManifestCatalog.Reading? {
        do {
            // A FIFO or a device must not hold the reader up, and none of them is a manifest.
            let descriptor = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let before = try status(descriptor.raw, path)
            switch before.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR: return .gone
            default: return bad(path, "not a regular file")
            }
            guard before.st_size <= ManifestFile.maximumBytes else {
                return bad(
                    path,
                    "\(before.st_size) bytes are more than the limit of \(ManifestFile.maximumBytes); split the file")
            }
            let bytes = try descriptor.readAll(limit: ManifestFile.maximumBytes)
            let after = try status(descriptor.raw, path)
            guard before.st_size == after.st_size, modificationTime(before) == modificationTime(after) else {
                return nil
            }
            return parse(bytes, path, nodeName)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return .gone }
            return bad(path, "\(error.errno)")
        }
    }

    private static func modificationTime(_ status: stat) -> Int64 {
        withUnsafePointer(to: status) { CLinux_modification_time($0) }
    }

    private static func parse(_ bytes: [UInt8], _ path: String, _ nodeName: String) -> ManifestCatalog.Reading {
        guard let text = String(validating: bytes, as: UTF8.self) else { return bad(path, "not valid UTF-8") }
        do throws(ManifestFile.ManifestProblems) {
            return .good(try ManifestFile.parse(text, file: path, nodeName: nodeName))
        } catch {
            return .bad(error.list)
        }
    }

    private static func bad(_ path: String, _ reason: String) -> ManifestCatalog.Reading {
        .bad([ManifestProblem(file: path, message: "\(path): \(reason)")])
    }

    private static func status(_ descriptor: Int32, _ path: String) throws(KernelError) -> stat {
        var status = stat()
        try kernelCall("fstat", path) { fstat(descriptor, &status) }
        return status
    }
}
