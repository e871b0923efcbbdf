import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// One directory as overlayfs would show it, merged from the same directory of several layers, without mounting
/// anything.
struct LayeredDirectory {
    /// Shared ownership of one layer's descriptor of this directory.
    final class Layer {
        let descriptor: OwnedDescriptor
        /// Place in the stack it was made from; 0 is the topmost.
        let index: Int

        init(_ descriptor: consuming OwnedDescriptor, index: Int) {
            self.descriptor = descriptor
            self.index = index
        }
    }

    enum Entry {
        case directory(LayeredDirectory)
        case symbolicLink(target: [UInt8])
        /// Anything else, to be opened by name in `parent`.
        case other(parent: Layer, status: stat)
    }

    private let layers: [Layer]

    /// The merged root of `directories`, topmost first. A last component that is a symbolic link is refused.
    static func root(of directories: [String]) throws(KernelError) -> LayeredDirectory {
        var layers: [Layer] = []
        for (index, path) in directories.enumerated() {
            layers.append(Layer(try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), index: index))
        }
        return LayeredDirectory(layers: layers)
    }

    /// What is called `name` here; `nil` when nothing is, or a layer says it is gone.
    func lookup(_ name: [UInt8]) throws(KernelError) -> Entry? {
        var merged: [Layer] = []
        for layer in layers {
            guard let status = try LayerDirectory.status(layer.descriptor.raw, name) else { continue }
            if LayerDirectory.isWhiteout(status) { break }
            guard LayerDirectory.isDirectory(status) else {
                guard merged.isEmpty else { break }
                guard status.st_mode & S_IFMT == S_IFLNK else { return .other(parent: layer, status: status) }
                return .symbolicLink(target: try LayerDirectory.symbolicLinkTarget(layer.descriptor.raw, name))
            }
            let directory = try LayerDirectory.open(layer.descriptor.raw, name, O_RDONLY | O_DIRECTORY)
            let opaque = LayerDirectory.isOpaque(directory.raw)
            merged.append(Layer(directory, index: layer.index))
            if opaque { break }
        }
        return merged.isEmpty ? nil : .directory(LayeredDirectory(layers: merged))
    }

    /// The directory at the end of a path that has no symbolic links; `nil` when there is none.
    func descend(_ components: [[UInt8]]) throws(KernelError) -> LayeredDirectory? {
        var current = self
        for component in components {
            guard case .directory(let next)? = try current.lookup(component) else { return nil }
            current = next
        }
        return current
    }

    /// Whether a layer other than the topmost of the stack shows `name` here.
    func hasBelowTop(_ name: [UInt8]) throws(KernelError) -> Bool {
        try LayeredDirectory(layers: layers.filter { $0.index > 0 }).lookup(name) != nil
    }

    /// Owner, mode and times: the topmost layer's.
    func status() throws(KernelError) -> stat? {
        guard let first = layers.first else { return nil }
        return try LayerDirectory.status(first.descriptor.raw)
    }

    /// Opens a regular file by a path whose symbolic links and `..` stay inside this root.
    ///
    /// - Returns: `nil` when there is nothing there.
    /// - Throws: ``ImageError/Code/invalidArchive`` for anything that is not a regular file of at most `limitBytes`,
    ///   or for more than 40 links.
    func readFile(_ path: String, limitBytes: Int) throws(ImageError) -> [UInt8]? {
        var rest = path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
        var resolved: [[UInt8]] = []
        var current = self
        var links = 0
        while !rest.isEmpty {
            let component = rest.removeFirst()
            if component == [0x2E] { continue }
            if component == [0x2E, 0x2E] {
                _ = resolved.popLast()
                current = try storing(path) { () throws(KernelError) in try descend(resolved) } ?? self
                continue
            }
            switch try storing(path, { () throws(KernelError) in try current.lookup(component) }) {
            case nil:
                return nil
            case .directory(let next):
                resolved.append(component)
                current = next
            case .symbolicLink(let target):
                links += 1
                guard links <= 40 else {
                    throw ImageError(.invalidArchive, "\(path) of the image: too many symbolic links")
                }
                if target.first == UInt8(ascii: "/") {
                    resolved = []
                    current = self
                }
                rest = target.split(separator: UInt8(ascii: "/")).map(Array.init) + rest
            case .other(let parent, let status):
                guard rest.isEmpty else { return nil }
                return try Self.read(component, in: parent, status, path: path, limitBytes: limitBytes)
            }
        }
        throw ImageError(.invalidArchive, "\(path) of the image: is not a regular file")
    }

    private static func read(
        _ name: [UInt8], in parent: Layer, _ status: stat, path: String, limitBytes: Int
    ) throws(ImageError) -> [UInt8] {
        // Checked before opening as well: opening a device or a FIFO can already do harm.
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(.invalidArchive, "\(path) of the image: is not a regular file")
        }
        return try storing("\(path) of the image") { () throws(KernelError) in
            let file = try LayerDirectory.open(parent.descriptor.raw, name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let opened = try LayerDirectory.status(file.raw)
            guard opened.st_mode & S_IFMT == S_IFREG else { throw KernelError("open", path, errno: .invalidArgument) }
            guard opened.st_size <= limitBytes else { throw KernelError("read", path, errno: .fileTooLarge) }
            return try file.readAll(limit: limitBytes)
        }
    }
}
