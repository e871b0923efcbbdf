import CLinux
import Glibc
import LinuxKernel

@testable import ContainerImages

/// A store in a directory of its own, beside "host" files that nothing may touch.
struct StoreFixture {
    let directory: String
    let manager: ImageManager

    var root: String { directory + "/store" }
    var host: String { directory + "/host" }

    /// Runs a test with a started store and removes everything after it.
    static func run(
        limits: UnpackLimits = UnpackLimits(), in confinement: Confinement = .jailed,
        _ body: (StoreFixture) async throws -> Void
    ) async throws {
        let directory = "/tmp/swiftlet-images-" + RandomName.make()
        try FileSystem.makeDirectories(directory + "/host/directory", mode: 0o755)
        try FileSystem.writeAtomically(directory + "/host/canary", Array("untouched".utf8), mode: 0o640, durable: false)
        try FileSystem.writeAtomically(directory + "/host/directory/inner", Array("inner".utf8), durable: false)
        let fixture = StoreFixture(
            directory: directory,
            manager: ImageManager(root: directory + "/store", limits: limits, confinement: confinement.jail))
        do {
            try await fixture.manager.start()
            try await body(fixture)
        } catch {
            try? LayerDirectory.remove(AT_FDCWD, Array(directory.utf8))
            throw error
        }
        try LayerDirectory.remove(AT_FDCWD, Array(directory.utf8))
    }

    /// Writes an archive file and gives its path.
    func archive(_ bytes: [UInt8], _ name: String = "image.tar") throws -> String {
        let path = directory + "/" + name
        try FileSystem.writeAtomically(path, bytes, durable: false)
        return path
    }

    func importBytes(_ bytes: [UInt8], name: String? = nil) async throws -> [StoredImage] {
        try await manager.importArchive(path: try archive(bytes, "image-\(RandomName.make()).tar"), name: name)
    }

    /// Everything about the host files that an escape could change.
    func canary() throws -> [String] {
        try ["", "/canary", "/directory", "/directory/inner"].map { name in
            let path = host + name
            var status = stat()
            try kernelCall("lstat", path) { lstat(path, &status) }
            let content =
                status.st_mode & S_IFMT == S_IFREG
                ? try FileSystem.readText(path) : try FileSystem.list(path).joined(separator: " ")
            return
                "\(name) \(status.st_ino) \(status.st_mode) \(status.st_uid) \(status.st_nlink) "
                + "\(status.st_mtim.tv_sec) "
                + "\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_nsec) \(content)"
        }
    }

    /// Names of layers, blobs and records on disk, staging included.
    func stored() throws -> [String] {
        try ["layers", "blobs/sha256", "images"].flatMap { directory in
            try FileSystem.list(root + "/" + directory).map { directory + "/" + $0 }
        }
    }

    func status(_ path: String) throws -> stat {
        var status = stat()
        try kernelCall("lstat", path) { lstat(path, &status) }
        return status
    }

    /// Mounts an image as a container would get it, for as long as `body` runs.
    func mounted(_ image: StoredImage, _ body: (String) throws -> Void) async throws {
        let lower = await manager.layers(of: image)
        let base = directory + "/mount-" + RandomName.make()
        for name in ["upper", "work", "merged"] { try FileSystem.makeDirectories("\(base)/\(name)", mode: 0o755) }
        try Mount.mount(
            type: "overlay", source: "overlay", target: base + "/merged",
            options: "lowerdir=\(lower.joined(separator: ":")),upperdir=\(base)/upper,workdir=\(base)/work")
        defer { _ = try? Mount.unmount(base + "/merged") }
        try body(base + "/merged")
    }
}
