import LinuxKernel
import SystemPackage

extension RegistryConfiguration {
    /// Reads the file at the start of a node. Blocks on the disk.
    ///
    /// - Parameter isRequired: somebody named the file, so that its absence is an error.
    public init(contentsOf path: String, isRequired: Bool) throws(Invalid) {
        let text: String
        do throws(KernelError) { text = try FileSystem.readText(path) } catch {
            guard !isRequired, error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory else {
                throw Invalid(problems: ["\(path): cannot be read: \(error.errno)"])
            }
            self.init()
            return
        }
        try self.init(parsing: text, file: path)
        for file in caFiles.sorted() where !FileSystem.exists(file) {
            throw Invalid(problems: ["\(path): caFile \(file): no such file"])
        }
    }
}
