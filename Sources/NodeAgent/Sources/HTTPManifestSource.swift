import KubernetesAPI
public import Logging

/// The pods that a document at a URL defines, asked for now and then.
///
/// An answer that cannot be had or used changes nothing: what the last usable one defined stays in force, and before
/// the first one the source has told nothing. An empty answer defines no pods.
public actor HTTPManifestSource {
    /// Every pod, and the end of the first usable answer. For one consumer.
    public nonisolated let updates: AsyncStream<PodUpdate>

    /// Between the end of one request and the next.
    public static let interval = Duration.seconds(20)

    private let url: ManifestURL
    private let nodeName: String
    private let fetcher: any ManifestFetching
    private let mirrors: MirrorPods?
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let update: AsyncStream<PodUpdate>.Continuation
    private var catalog = ManifestCatalog()
    private var lastBody: [UInt8]?
    private var lastFailure: ManifestFetchError?
    private var hasCompleted = false

    /// - Parameter mirrors: shows the pods in the API; nil without one.
    public init(
        url: ManifestURL, nodeName: String, fetcher: any ManifestFetching, mirrors: MirrorPods? = nil,
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.url = url
        self.nodeName = nodeName
        self.fetcher = fetcher
        self.mirrors = mirrors
        self.clock = clock
        self.logger = logger
        (updates, update) = AsyncStream.makeStream()
    }

    /// Why something in the document is not in force; empty when all is well.
    public var problems: [ManifestProblem] { catalog.problems }

    /// Follows the document until cancelled.
    public func run() async {
        while !Task.isCancelled {
            do throws(ManifestFetchError) {
                take(try await fetcher.fetch())
                lastFailure = nil
            } catch {
                if error != lastFailure, !Task.isCancelled {
                    logger.warning(
                        "manifest not fetched, what it defined before stays in force",
                        metadata: ["url": "\(url)", "error": "\(error)"])
                }
                lastFailure = error
            }
            try? await clock.sleep(for: Self.interval, tolerance: nil)
        }
        update.finish()
    }

    private func take(_ body: [UInt8]) {
        guard body != lastBody else { return }
        lastBody = body
        let reading = read(body)
        let changes = catalog.update(url.description, reading)
        for problem in catalog.problems {
            logger.error("manifest not in force", metadata: ["problem": "\(problem)"])
        }
        for pod in changes.removed {
            logger.info("static pod removed", metadata: ["pod": "\(pod.key)", "uid": "\(pod.metadata.uid ?? "")"])
            update.yield(.removed(pod, source: .http))
            mirrors?.remove(staticPod: pod)
        }
        for pod in changes.applied {
            logger.info("static pod found", metadata: ["pod": "\(pod.key)", "uid": "\(pod.metadata.uid ?? "")"])
            update.yield(.applied(pod, source: .http))
            mirrors?.apply(staticPod: pod)
        }
        // An error page of a proxy says nothing about what this node should run.
        guard case .good = reading, !hasCompleted else { return }
        hasCompleted = true
        update.yield(.snapshotComplete(source: .http))
        mirrors?.staticPodsComplete(.http)
    }

    private func read(_ body: [UInt8]) -> ManifestCatalog.Reading {
        let name = url.description
        guard let text = String(validating: body, as: UTF8.self) else {
            return .bad([ManifestProblem(file: name, message: "\(name): not valid UTF-8")])
        }
        do throws(ManifestFile.ManifestProblems) {
            return .good(try ManifestFile.parse(text, file: name, origin: .url(url.text), nodeName: nodeName))
        } catch {
            return .bad(error.list)
        }
    }
}
