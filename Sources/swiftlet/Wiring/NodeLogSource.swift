import ControlEndpoint
import KubernetesAPI
import NIOCore
import NodeAgent
import Synchronization

/// The endpoint's way to the logs of the agent in the same process. The agent comes later than the endpoint.
final class NodeLogSource: PodLogSource {
    private let logs = Mutex<PodLogs?>(nil)

    func attach(_ logs: PodLogs) { self.logs.withLock { $0 = logs } }

    func logs(
        pod: Pod, container: String, options: PodLogOptions
    ) async throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        guard let logs = logs.withLock({ $0 }) else { throw PodLogError.unavailable("the node agent is starting") }
        var wanted = ContainerLogOptions()
        wanted.follow = options.follow
        wanted.previous = options.previous
        wanted.timestamps = options.timestamps
        wanted.tailLines = options.tailLines
        wanted.limitBytes = options.limitBytes
        wanted.since =
            options.sinceTime ?? options.sinceSeconds.map { Timestamp.now().advanced(by: .seconds(-$0)) }
        do throws(ContainerLogError) {
            let reader = try await logs.reader(
                namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name ?? "", container: container,
                options: wanted)
            return AsyncThrowingStream { try await reader.next().map { ByteBuffer(bytes: $0) } }
        } catch {
            switch error {
            case .badRequest(let text): throw PodLogError.badRequest(text)
            case .notFound(let text): throw PodLogError.notFound(text)
            }
        }
    }
}
