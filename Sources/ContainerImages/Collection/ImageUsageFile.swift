import KubernetesAPI
import LinuxKernel

/// The ledger of the images' use on disk: `<root>/usage.json`. Blocking.
struct ImageUsageFile: Sendable {
    private let path: String
    private static let limitBytes = 16 << 20

    init(root: String) { path = root + "/usage.json" }

    /// A file that is not there, or not readable, is an empty ledger: every image then counts as having just come.
    func load() -> ImageUsageLedger {
        guard let bytes = try? FileSystem.read(path, limit: Self.limitBytes), let value = try? JSONValue(parsing: bytes)
        else { return ImageUsageLedger() }
        return ImageUsageLedger(value) ?? ImageUsageLedger()
    }

    func store(_ ledger: ImageUsageLedger) throws(ImageError) {
        try storing("use of images") { () throws(KernelError) in
            try FileSystem.writeAtomically(path, ledger.json.serialized())
        }
    }
}
