import Glibc
public import LinuxKernel
public import Logging

/// Keeps the containers' old logs small: compresses what monitors have rotated, and gives up the logs of attempts long over.
///
/// How much a running container writes is limited by its monitor; nothing here has to run for that.
public actor LogKeeper {
    private let logsDirectory: String
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let loop: EpollLoop
    private let changes: Inotify
    private var directories: [Int32: String] = [:]
    private var due: Set<String> = []
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// A log that is rotated many times a second loses its files before they are worth compressing.
    private static let delay = Duration.seconds(10)
    /// Instances whose logs are kept, as kubelet keeps them: the newest and the one before.
    private static let keptAttempts: UInt32 = 2

    /// - Parameter logsDirectory: with a directory for each pod, and in it one for each container.
    public init(
        logsDirectory: String, clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) throws(KernelError) {
        self.logsDirectory = logsDirectory
        self.clock = clock
        self.logger = logger
        loop = try EpollLoop(name: "log-keeper")
        changes = try Inotify(loop: loop)
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Works until cancelled.
    public func run() async {
        await watchAll()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen() }
            for await _ in wakeUps {
                try? await clock.sleep(for: Self.delay, tolerance: nil)
                if Task.isCancelled { break }
                await compressDue()
            }
            group.cancelAll()
        }
    }

    private func listen() async {
        for await event in changes.events {
            if event.isOverflow {
                await watchAll()
            } else if event.isIgnored {
                directories[event.watch] = nil
            } else if let directory = directories[event.watch], !event.name.hasSuffix(RotatedLog.compressedSuffix),
                !RotatedLog.logs(in: [event.name]).isEmpty
            {
                note(directory)
            }
        }
    }

    private func note(_ directory: String) {
        due.insert(directory)
        wake.yield()
    }

    /// What is there already, from before this agent.
    private func watchAll() async {
        let root = logsDirectory
        let found = await KernelThreadPool.shared.run {
            ((try? FileSystem.list(root)) ?? []).flatMap { pod in
                ((try? FileSystem.list(root + "/" + pod)) ?? []).map { "\(root)/\(pod)/\($0)" }
            }
        }
        for directory in found {
            watch(directory)
            note(directory)
        }
    }

    private func watch(_ directory: String) {
        do throws(KernelError) {
            directories[try changes.watch(directory, mask: UInt32(IN_MOVED_TO | IN_ONLYDIR))] = directory
        } catch {
            logger.warning("rotated logs are not compressed", metadata: ["error": "\(error)"])
        }
    }

    private func compressDue() async {
        let directories = due
        due = []
        for directory in directories.sorted() {
            let failure = await KernelThreadPool.shared.run { Self.compress(in: directory) }
            guard let failure else { continue }
            logger.warning("rotated log not compressed", metadata: ["error": "\(failure)"])
        }
    }

    private static func compress(in directory: String) -> KernelError? {
        do throws(KernelError) {
            let names = try FileSystem.list(directory)
            for name in LogCompression.leftovers(in: names) { unlink(directory + "/" + name) }
            for file in LogCompression.due(in: names) { try LogCompression.compress(directory + "/" + file.name) }
            return nil
        } catch { return error }
    }

    /// A container is about to log here.
    ///
    /// - Parameters:
    ///   - attempt: of the container. Logs of attempts well before it go, as a container that restarts for ever would fill the disk.
    ///   - links: directory of the links to logs; dangling ones that begin with `linkPrefix` go too.
    func begin(_ directory: String, attempt: UInt32, links: String, linkPrefix: String) async {
        watch(directory)
        guard attempt >= Self.keptAttempts else { return }
        let oldest = attempt - (Self.keptAttempts - 1)
        await KernelThreadPool.shared.run {
            var isRemoved = false
            for name in (try? FileSystem.list(directory)) ?? [] {
                guard let dot = name.firstIndex(of: "."), let number = UInt32(name[..<dot]), number < oldest,
                    name[dot...].hasPrefix(".log")
                else { continue }
                unlink(directory + "/" + name)
                isRemoved = true
            }
            guard isRemoved else { return }
            for name in (try? FileSystem.list(links)) ?? [] where name.hasPrefix(linkPrefix) {
                let link = links + "/" + name
                if let target = FileSystem.linkTarget(link), !FileSystem.exists(target) { unlink(link) }
            }
        }
    }
}
