import KubernetesAPI
import NIOCore

/// Turns the body of a watch into events, one at a time as they are asked for.
actor WatchReader<T: KubernetesResource> {
    private let body: ResponseReader
    private let label: String
    private var framer = WatchLineFramer(limit: APIClient.maximumWatchLineBytes)
    private var failed = false

    init(client: APIClient, request: APIRequest) {
        body = ResponseReader(client: client, request: request)
        label = "WATCH \(request.path)"
    }

    /// The next event, or nil when the server has ended the watch.
    func next() async throws(APIError) -> ResourceWatchEvent<T>? {
        guard !failed else { return nil }
        do throws(APIError) {
            while true {
                if let line = try nextLine() { return try WatchLineDecoder.decode(line, request: label) }
                guard let chunk = try await body.next() else { break }
                framer.append(chunk)
            }
            guard framer.pendingBytes == 0 else {
                throw APIError.transport(.connectionLost, "the watch ended within a line", request: label)
            }
            return nil
        } catch {
            failed = true
            throw error
        }
    }

    private func nextLine() throws(APIError) -> [UInt8]? {
        do {
            return try framer.nextLine()
        } catch {
            throw .transport(
                .bodyTooLarge, "a line of the watch is longer than \(error.limit) bytes", request: label)
        }
    }
}

/// Reads one line of a watch.
enum WatchLineDecoder {
    /// - Throws: the server's own error for an `ERROR` event; `malformedResponse` for a line that is no event.
    static func decode<T: KubernetesResource>(
        _ line: [UInt8], request: String
    ) throws(APIError) -> ResourceWatchEvent<T> {
        let value = try ResourceCoding.value(line, request: request)
        guard let name = value["type"]?.stringValue, let object = value["object"] else {
            throw .transport(.malformedResponse, "the line is not a watch event", request: request)
        }
        switch name {
        case "ADDED": return change(.added, object)
        case "MODIFIED": return change(.modified, object)
        case "DELETED": return change(.deleted, object)
        case "BOOKMARK":
            return .bookmark(resourceVersion: object[path: "metadata", "resourceVersion"]?.stringValue ?? "")
        case "ERROR":
            throw APIError(status: object, httpStatus: 500, request: request)
        default:
            throw .transport(.malformedResponse, "unknown watch event type \(name.prefix(32))", request: request)
        }
    }

    private static func change<T: KubernetesResource>(
        _ change: ResourceWatchEvent<T>.Change, _ value: JSONValue
    ) -> ResourceWatchEvent<T> {
        switch ResourceCoding.item(T.self, value) {
        case .failure(let error): return .undecodable(error.object, change: change)
        case .success(let object):
            switch change {
            case .added: return .added(object)
            case .modified: return .modified(object)
            case .deleted: return .deleted(object)
            }
        }
    }
}
