import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// Unpacked layers, `<root>/layers/<chain ID>/{diff/, layer.json}`, each shared by all images that stand on the same
/// chain.
///
/// A directory has its final name only when it is complete and on disk; everything else is called `.staging-…` and is
/// removed at the
/// next start.
struct LayerStore: Sendable {
    private let directory: String
    private static let stagingPrefix = ".staging-"

    init(root: String) {
        directory = root + "/layers"
    }

    /// Creates the directory, removes what was left behind and reads what is there.
    func prepare() throws(ImageError) -> (layers: [ContentDigest: LayerRecord], removed: Int) {
        try storing("layer store") { () throws(KernelError) in
            try FileSystem.makeDirectories(directory)
            let replacedPrefix = Self.replacedPrefix
            var layers: [ContentDigest: LayerRecord] = [:]
            var removed = 0
            for name in try FileSystem.list(directory) {
                if let record = record(name) {
                    layers[record.chainID] = record
                } else if !name.hasPrefix(replacedPrefix) {
                    try discard(name)
                    removed += 1
                }
            }
            return (layers, removed)
        }
    }

    /// Damaged layers that were got anew while containers may have run on them: they stay until the machine has started again.
    private static var replacedPrefix: String {
        let boot = (try? FileSystem.readText("/proc/sys/kernel/random/boot_id", limit: 64)) ?? ""
        return ".replaced-\(boot.filter { $0.isLetter || $0.isNumber })-"
    }

    /// Whether a layer's directory is there with the record that is known of it.
    func isComplete(_ record: LayerRecord) -> Bool { self.record(record.chainID.hexadecimal) == record }

    /// Writes what is known of a layer anew, durably. One whose directory is gone is missing at the next start, whatever was written.
    func update(_ record: LayerRecord) throws(ImageError) {
        let place = "\(directory)/\(record.chainID.hexadecimal)"
        guard FileSystem.exists(place) else { return }
        try storing("layer store") { () throws(KernelError) in
            try FileSystem.writeAtomically(place + "/layer.json", record.json.serialized())
        }
    }

    private func record(_ name: String) -> LayerRecord? {
        guard let chainID = ContentDigest(hexadecimal: name),
            let bytes = try? FileSystem.read("\(directory)/\(name)/layer.json"),
            let value = try? JSONValue(parsing: bytes),
            let record = LayerRecord(value), record.chainID == chainID, FileSystem.exists(diffDirectory(chainID))
        else { return nil }
        return record
    }

    /// Where the layer's files are: an overlayfs lower directory.
    func diffDirectory(_ chainID: ContentDigest) -> String { "\(directory)/\(chainID.hexadecimal)/diff" }

    /// A new empty staging directory with an empty `diff/` in it; gives its name.
    func makeStaging() throws(ImageError) -> String {
        let name = Self.stagingPrefix + RandomName.make()
        try storing("layer store") { () throws(KernelError) in
            try kernelCall("mkdir", "\(directory)/\(name)") { mkdir("\(directory)/\(name)", 0o700) }
            let diff = stagingDiffDirectory(name)
            try kernelCall("mkdir", diff) { mkdir(diff, 0o755) }
            // The root of a layer without an entry for it is world-readable whatever the agent's umask is.
            try kernelCall("chmod", diff) { chmod(diff, 0o755) }
        }
        return name
    }

    func stagingDiffDirectory(_ name: String) -> String { "\(directory)/\(name)/diff" }

    /// Gives staged layers their final names, bottom first: one syncfs(2) for all their files, then the renames.
    func commit(_ staged: [(name: String, record: LayerRecord)]) throws(ImageError) {
        guard !staged.isEmpty else { return }
        try makeDurable(staged)
        try publish(staged)
    }

    /// The slow part of ``commit(_:)``: their files and records are on disk.
    func makeDurable(_ staged: [(name: String, record: LayerRecord)]) throws(ImageError) {
        try storing("layer store") { () throws(KernelError) in
            for layer in staged {
                try FileSystem.writeAtomically(
                    "\(directory)/\(layer.name)/layer.json", layer.record.json.serialized(), durable: false)
            }
            let parent = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
            try kernelCall("syncfs", directory) { CLinux_syncfs(parent.raw) }
        }
    }

    /// The rest of it: the names. A damaged layer that has one of them loses it.
    func publish(_ staged: [(name: String, record: LayerRecord)]) throws(ImageError) {
        try storing("layer store") { () throws(KernelError) in
            let parent = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
            for layer in staged {
                let target = "\(directory)/\(layer.record.chainID.hexadecimal)"
                if FileSystem.exists(target) {
                    let aside = "\(directory)/\(Self.replacedPrefix)\(RandomName.make())"
                    try kernelCall("rename", target) { rename(target, aside) }
                }
                try kernelCall("rename", target) { rename("\(directory)/\(layer.name)", target) }
            }
            try kernelCall("fsync", directory) { fsync(parent.raw) }
        }
    }

    /// Removes a layer; an absent one is fine. It loses its name first, so that a half-removed layer is never taken
    /// for a whole one.
    func remove(_ chainID: ContentDigest) throws(ImageError) {
        try storing("layer \(chainID)") { () throws(KernelError) in
            let source = "\(directory)/\(chainID.hexadecimal)"
            guard FileSystem.exists(source) else { return }
            let name = Self.stagingPrefix + RandomName.make()
            try kernelCall("rename", source) { rename(source, "\(directory)/\(name)") }
            try discard(name)
        }
    }

    /// Removes a staging directory.
    func discard(_ name: String) throws(KernelError) {
        let parent = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
        try LayerDirectory.remove(parent.raw, Array(name.utf8))
    }
}
