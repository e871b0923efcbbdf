import CLinux
import Glibc
import KubernetesAPI
public import LinuxKernel
public import Logging
import SystemPackage

/// The pods, ConfigMaps and Secrets that files of one directory define, followed by inotify.
///
/// A missing directory is an empty source; it is noticed when it appears.
public actor ManifestSource {
    /// Every pod, and the end of the first reading. For one consumer.
    public nonisolated let updates: AsyncStream<PodUpdate>
    /// ConfigMaps and Secrets of the files.
    public nonisolated let objects = LocalObjects()

    private let directory: String
    private let nodeName: String
    private let loop: EpollLoop
    private let mirrors: MirrorPods?
    private let logger: Logger
    private let update: AsyncStream<PodUpdate>.Continuation
    private var catalog = ManifestCatalog()
    private var logged: Set<ManifestProblem> = []
    private var hasCompleted = false

    /// A safety net for what inotify does not tell, such as a changed target of a symbolic link.
    static let rereadInterval = Duration.seconds(300)

    /// - Parameters:
    ///   - directory: of the manifests; its subdirectories and names starting with a dot are left alone.
    ///   - mirrors: shows the pods in the API; nil without one.
    public init(directory: String, nodeName: String, loop: EpollLoop, mirrors: MirrorPods? = nil, logger: Logger) {
        self.directory = directory
        self.nodeName = nodeName
        self.loop = loop
        self.mirrors = mirrors
        self.logger = logger
        (updates, update) = AsyncStream.makeStream()
    }

    /// Why something in the files is not in force; empty when all is well.
    public var problems: [ManifestProblem] { catalog.problems }

    /// Follows the directory until cancelled.
    public func run() async {
        while !Task.isCancelled {
            await follow()
        }
        update.finish()
    }

    /// One life of a watch: ends when what is watched has to be found anew.
    private func follow() async {
        let inotify: Inotify
        do {
            inotify = try Inotify(loop: loop)
        } catch {
            logger.warning("manifests cannot be watched, reading them now and then", metadata: ["error": "\(error)"])
            await reread()
            try? await ContinuousClock().sleep(for: Self.rereadInterval)
            return
        }
        defer { inotify.close() }
        let awaited = watch(inotify)
        // After the watch is set, so that nothing falls between.
        await reread()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.read(inotify.events, awaiting: awaited) }
            group.addTask { try? await ContinuousClock().sleep(for: Self.rereadInterval) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Watches the directory; or, while it is missing, the nearest one above it, and says which name has to appear.
    private func watch(_ inotify: Inotify) -> String? {
        // The watch does not follow links, the directory may be one.
        var path = Self.resolved(directory) ?? directory
        var awaited: String?
        while true {
            do {
                _ = try inotify.watch(path)
                return awaited
            } catch {
                guard error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory,
                    let slash = path.lastIndex(of: "/"), path != "/"
                else {
                    logger.warning("manifests cannot be watched", metadata: ["error": "\(error)"])
                    return ""
                }
                awaited = String(path[path.index(after: slash)...])
                path = slash == path.startIndex ? "/" : String(path[..<slash])
            }
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func read(_ events: AsyncStream<InotifyEvent>, awaiting awaited: String?) async {
        for await event in events {
            // What is watched came, went or moved, or events were lost: everything is looked at again.
            if event.isOverflow || event.isIgnored || event.name.isEmpty { return }
            guard let awaited else {
                await handle(event)
                continue
            }
            if event.name == awaited { return }
        }
    }

    private func handle(_ event: InotifyEvent) async {
        guard !event.name.hasPrefix(".") else { return }
        let path = directory + "/" + event.name
        if event.mask & UInt32(IN_CREATE) != 0, Self.isBeingWritten(path) { return }
        await reread(path)
    }

    /// A new regular file is read when its writer closes it; a link is complete as soon as it is there.
    private static func isBeingWritten(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1
    }

    // MARK: Reading

    private func reread() async {
        let directory = directory
        let names: [String]
        do {
            names = try await KernelThreadPool.shared.run { () throws(KernelError) in try FileSystem.list(directory) }
        } catch {
            // What was read before stays: a directory that cannot be read says nothing about what is wanted.
            logger.warning("manifests cannot be listed", metadata: ["error": "\(error)"])
            complete()
            return
        }
        let paths = names.filter { !$0.hasPrefix(".") }.map { directory + "/" + $0 }
        // Told together: what a pod uses, or what a claim is bound to, may be in a file that is read later.
        var changes = catalog.paths.subtracting(paths).sorted().map { catalog.update($0, .gone) }
        for path in paths {
            if let reading = await read(path) { changes.append(catalog.update(path, reading)) }
        }
        deliver(changes)
        complete()
    }

    private func complete() {
        guard !hasCompleted else { return }
        hasCompleted = true
        update.yield(.snapshotComplete(source: .file))
        mirrors?.staticPodsComplete()
    }

    private func reread(_ path: String) async {
        if let reading = await read(path) { deliver([catalog.update(path, reading)]) }
    }

    /// Nil: somebody is writing it, and closing it will be told.
    private func read(_ path: String) async -> ManifestCatalog.Reading? {
        let nodeName = nodeName
        return await KernelThreadPool.shared.run { ManifestReader.read(path, nodeName: nodeName) }
    }

    private func deliver(_ changes: [ManifestCatalog.Changes]) {
        // Before the pods that may use them.
        objects.replace(configMaps: catalog.configMaps, secrets: catalog.secrets, claims: catalog.claims)
        for change in changes { tell(change) }
        let problems = Set(catalog.problems)
        for problem in catalog.problems where !logged.contains(problem) {
            logger.error("manifest not in force", metadata: ["problem": "\(problem)"])
        }
        logged = problems
    }

    private func tell(_ changes: ManifestCatalog.Changes) {
        for pod in changes.removed {
            logger.info("static pod removed", metadata: ["pod": "\(pod.key)", "uid": "\(pod.metadata.uid ?? "")"])
            update.yield(.removed(pod, source: .file))
            mirrors?.remove(staticPod: pod)
        }
        for pod in changes.applied {
            logger.info("static pod found", metadata: ["pod": "\(pod.key)", "uid": "\(pod.metadata.uid ?? "")"])
            update.yield(.applied(pod, source: .file))
            mirrors?.apply(staticPod: pod)
        }
    }
}
