import HTTPTypes
import Hummingbird
import KubernetesAPI
import NIOCore
import NodeAgent

/// A container's log over HTTP: the same parameters as the API's `pods/log`.
enum LogRoute {
    static func respond(
        _ logs: PodLogs, namespace: String, pod: String, container: String?, query: [Substring: Substring]
    ) async -> Response {
        do throws(ContainerLogError) {
            let options = try self.options(query)
            let reader = try await logs.reader(
                namespace: namespace, pod: pod, container: container, options: options)
            let body = ResponseBody { writer in
                // The client sees at once that the log is open, even while it is empty.
                try await writer.write(ByteBuffer())
                while let bytes = try await reader.next() { try await writer.write(ByteBuffer(bytes: bytes)) }
                try await writer.finish(nil)
            }
            return Response(status: .ok, headers: [.contentType: "text/plain"], body: body)
        } catch {
            switch error {
            case .badRequest(let message): return HTTPResponses.error(message, status: .badRequest)
            case .notFound(let message): return HTTPResponses.error(message, status: .notFound)
            }
        }
    }

    static func options(_ query: [Substring: Substring]) throws(ContainerLogError) -> ContainerLogOptions {
        var options = ContainerLogOptions()
        options.follow = flag(query["follow"])
        options.previous = flag(query["previous"])
        options.timestamps = flag(query["timestamps"])
        options.tailLines = try number(query["tailLines"], "tailLines", minimum: 0)
        options.limitBytes = try number(query["limitBytes"], "limitBytes", minimum: 1)
        if let seconds = try number(query["sinceSeconds"], "sinceSeconds", minimum: 1) {
            options.since = Timestamp.now().advanced(by: .seconds(-seconds))
        }
        if let text = query["sinceTime"] {
            guard let time = Timestamp(rfc3339: String(text)) else {
                throw .badRequest("sinceTime: Invalid value: \"\(text)\": must be an RFC 3339 time")
            }
            guard options.since == nil else {
                throw .badRequest("sinceTime: Forbidden: at most one of sinceTime and sinceSeconds may be given")
            }
            options.since = time
        }
        return options
    }

    /// As the API reads booleans: some clients write True, and the name alone is enough.
    private static func flag(_ text: Substring?) -> Bool {
        text.map { $0 != "0" && $0.lowercased() != "false" } ?? false
    }

    private static func number(
        _ text: Substring?, _ name: String, minimum: Int64
    ) throws(ContainerLogError) -> Int64? {
        guard let text else { return nil }
        guard let value = Int64(text), value >= minimum else {
            throw .badRequest("\(name): Invalid value: \"\(text)\": must be a whole number, at least \(minimum)")
        }
        return value
    }
}
