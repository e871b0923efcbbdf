import Synchronization

/// How long the agent's own work takes since it started. One entry for each kind of work there is, whatever pods there are.
public final class AgentDurations: Sendable {
    /// What is done to pods and containers, named as a container runtime's clients name their calls.
    public enum Operation: String, CaseIterable, Comparable, Sendable {
        case runPodSandbox = "run_podsandbox"
        /// Of namespaces, network and cgroup of a pod without running containers.
        case stopPodSandbox = "stop_podsandbox"
        /// Of all that is left of a pod.
        case removePodSandbox = "remove_podsandbox"
        case createContainer = "create_container"
        case startContainer = "start_container"
        case stopContainer = "stop_container"
        case removeContainer = "remove_container"
        case updateContainerResources = "update_container_resources"
        case execSync = "exec_sync"

        public static func < (left: Operation, right: Operation) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a look at a pod was for.
    public enum WorkerOperation: String, CaseIterable, Sendable {
        /// The first one.
        case create, sync
        case kill
    }

    public struct Figures: Hashable, Sendable {
        public var durations = DurationHistogram()
        public var errors: UInt64 = 0

        public init() {}
    }

    public struct Snapshot: Sendable {
        public var operations: [Operation: Figures] = [:]
        public var worker: [WorkerOperation: DurationHistogram] = [:]
        /// From the first word of a pod to the moment it runs.
        public var podStart = DurationHistogram(bounds: AgentDurations.podStartBounds)
        /// Of images for pods, those that were not pulled left out.
        public var imagePulls: [ImageSizeClass: DurationHistogram] = [:]
        /// Under way for pods.
        public var runningImagePulls = 0

        public init() {}
    }

    /// Those that dashboards know, which begin at half a second, and below them those in which this node starts its pods.
    public static let podStartBounds: [Double] = [
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600,
        900, 1200, 1800, 2700, 3600,
    ]

    private let figures = Mutex(Snapshot())

    public init() {}

    public var snapshot: Snapshot { figures.withLock { $0 } }

    public func add(_ operation: Operation, _ duration: Duration, failed: Bool = false) {
        figures.withLock { figures in
            figures.operations[operation, default: Figures()].durations.add(duration)
            if failed { figures.operations[operation, default: Figures()].errors &+= 1 }
        }
    }

    public func add(_ operation: WorkerOperation, _ duration: Duration) {
        figures.withLock { $0.worker[operation, default: DurationHistogram()].add(duration) }
    }

    /// To be followed by ``imagePullEnded(_:bytes:)``.
    public func imagePullStarted() { figures.withLock { $0.runningImagePulls += 1 } }

    /// - Parameter bytes: the image's size; nil when the pull has failed.
    public func imagePullEnded(_ duration: Duration, bytes: Int64?) {
        figures.withLock { figures in
            figures.runningImagePulls -= 1
            guard let bytes else { return }
            let none = DurationHistogram(bounds: ImageSizeClass.durationBounds)
            figures.imagePulls[ImageSizeClass(bytes: bytes), default: none].add(duration)
        }
    }

    public func addPodStart(_ duration: Duration) { figures.withLock { $0.podStart.add(duration) } }
}
