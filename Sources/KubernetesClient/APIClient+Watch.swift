public import KubernetesAPI
import NIOCore

extension APIClient {
    /// Watches a collection. The connection is made when the first event is asked for and closed when the stream is
    /// dropped or the reading task cancelled; a slow reader slows the server, nothing piles up here.
    ///
    /// The stream ends when the server ends the watch, and throws `APIError` for everything else; `isExpired` means
    /// that `resourceVersion` is too old. It has one reader.
    ///
    /// - Parameters:
    ///   - resourceVersion: where to continue, normally from a list.
    ///   - timeoutSeconds: after which the server ends the watch.
    ///   - bookmarks: ask for `ResourceWatchEvent.bookmark`.
    public func watch<T: KubernetesResource>(
        _ type: T.Type, namespace: String? = nil, fieldSelector: String = "", labelSelector: String = "",
        resourceVersion: String, timeoutSeconds: Int = 300, bookmarks: Bool = true
    ) -> AsyncThrowingStream<ResourceWatchEvent<T>, any Error> {
        var request = APIRequest(.get, T.definition.path(namespace: namespace))
        request.query = Self.selectors(labelSelector: labelSelector, fieldSelector: fieldSelector)
        request.query += [
            .init("watch", "true"), .init("resourceVersion", resourceVersion),
            .init("timeoutSeconds", String(timeoutSeconds)),
        ]
        if bookmarks { request.query.append(.init("allowWatchBookmarks", "true")) }
        let reader = WatchReader<T>(client: self, request: request)
        return AsyncThrowingStream { try await reader.next() }
    }

    /// The body of an answer as it arrives, e.g. a followed log. Lazy, cancelled and throttled like `watch`.
    public func stream(_ request: APIRequest) -> AsyncThrowingStream<[UInt8], any Error> {
        let reader = ResponseReader(client: self, request: request)
        return AsyncThrowingStream {
            guard let chunk = try await reader.next() else { return nil }
            return Array(chunk.readableBytesView)
        }
    }
}
