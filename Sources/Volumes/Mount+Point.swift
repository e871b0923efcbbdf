import CLinux
import Glibc
import LinuxKernel
import SystemPackage

extension Mount {
    /// Whether something is mounted at a path whose last part is no link. Without a look at what is mounted there: it may hang.
    static func isMountPoint(_ path: String) throws(KernelError) -> Bool {
        let (parent, name) = path.splitAtLastSlash
        do throws(KernelError) {
            let place = try OwnedDescriptor.open(parent, O_PATH | O_DIRECTORY).canonicalPath()
            let point = (place == "/" ? "" : place) + "/" + name
            return try all(below: point).contains { $0.point == point }
        } catch {
            if error.errno == .noSuchFileOrDirectory { return false }
            throw error
        }
    }
}
