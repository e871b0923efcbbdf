import Glibc
public import LinuxKernel
public import Logging
import Synchronization

/// The node's policy as its file has it now.
///
/// The file is read again when it changes and when ``reload()`` is called. A version that cannot be in force, or the file's
/// absence after it was there, leaves the last good version in force and is said.
public final class NodePolicySource: Sendable {
    public let path: String

    private let owner: UInt32
    private let logger: Logger
    private let state: Mutex<State>
    private let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation

    private struct State {
        var policy: NodePolicy
        /// The file has been there.
        var wasRead: Bool
        var problem: String?
    }

    /// A safety net for what inotify does not tell, such as a directory that was missing.
    private static let rereadInterval = Duration.seconds(300)

    /// Reads the policy. Blocks on the disk.
    ///
    /// - Parameters:
    ///   - isRequired: somebody named the file, so that its absence is an error.
    ///   - owner: the user the file has to belong to.
    /// - Throws: when there is a file that cannot be in force: a node with half a policy does not start.
    public init(
        path: String, isRequired: Bool, owner: UInt32 = 0, logger: Logger
    ) throws(NodePolicyError) {
        self.path = path
        self.owner = owner
        self.logger = logger
        let policy = try NodePolicyFile.read(path, owner: owner)
        if policy == nil, isRequired { throw NodePolicyError(["\(path): no such file"]) }
        state = Mutex(State(policy: policy ?? NodePolicy(), wasRead: policy != nil))
        (requests, request) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What is in force.
    public var policy: NodePolicy { state.withLock { $0.policy } }

    /// Why the file's newest version is not in force; nil when it is.
    public var problem: String? { state.withLock { $0.problem } }

    /// Reads the file again, soon.
    public func reload() { request.yield() }

    /// Follows the file until cancelled.
    ///
    /// - Parameters:
    ///   - loop: reads what tells of changes.
    ///   - onChange: called after every reading that changed what is in force, or what is wrong: with the problem.
    public func run(
        loop: EpollLoop, onChange: @escaping @Sendable (_ problem: String?) -> Void = { _ in }
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in self.requests { await self.read(onChange) } }
            while !Task.isCancelled {
                await follow(loop)
                reload()
            }
            group.cancelAll()
        }
    }

    /// Asks for a reading at every change, for as long as one watch lasts.
    private func follow(_ loop: EpollLoop) async {
        guard let inotify = try? Inotify(loop: loop) else { return await pause() }
        defer { inotify.close() }
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        // The owner and mode count as well.
        let mask = Inotify.directoryChanges | UInt32(IN_ATTRIB)
        guard (try? inotify.watch(directory, mask: mask)) != nil else { return await pause() }
        // What happened before the watch was there.
        reload()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Any name: the file may be a link to a neighbour.
                for await event in inotify.events {
                    if event.isIgnored || event.isOverflow || event.name.isEmpty { return }
                    self.reload()
                }
            }
            group.addTask { await self.pause() }
            await group.next()
            group.cancelAll()
        }
    }

    private func pause() async { try? await ContinuousClock().sleep(for: Self.rereadInterval) }

    private func read(_ onChange: @Sendable (String?) -> Void) async {
        let (path, owner) = (path, owner)
        let result = await KernelThreadPool.shared.run { () -> Result<NodePolicy?, NodePolicyError> in
            do throws(NodePolicyError) { return .success(try NodePolicyFile.read(path, owner: owner)) } catch {
                return .failure(error)
            }
        }
        guard take(result) else { return }
        let problem = problem
        if let problem {
            logger.error("node policy not in force, the last good one stays", metadata: ["problem": "\(problem)"])
        } else {
            logger.notice("node policy read", metadata: ["file": "\(path)", "rules": "\(policy.rules.count)"])
        }
        onChange(problem)
    }

    /// Whether something is different now.
    private func take(_ result: Result<NodePolicy?, NodePolicyError>) -> Bool {
        state.withLock { state in
            let (policyBefore, problemBefore) = (state.policy, state.problem)
            switch result {
            case .success(let policy?):
                state = State(policy: policy, wasRead: true, problem: nil)
            case .success(nil):
                // To be without a policy is looser than most policies: not by accident.
                state.problem =
                    state.wasRead
                    ? "\(path): is gone; a node without a policy file needs a restart" : nil
            case .failure(let error):
                state.problem = "\(error)"
            }
            return state.policy != policyBefore || state.problem != problemBefore
        }
    }
}
