internal import KubernetesAPI
internal import NIOCore

/// `pods/NAME/log`.
extension EndpointAPI {
    func logs(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        let object = try operations.get(resource, namespace: info.namespace, name: try name(info))
        let options = try logOptions(request.query)
        let container = try containerName(request.query["container"], object)
        // A pod without a node has written nothing yet.
        if object.value.string("spec", "nodeName").isEmpty { return .text("") }
        try checkStarted(container, object, previous: options.previous)
        guard let logSource, ownNode == nil || object.value.string("spec", "nodeName") == ownNode else {
            let stream = try await remoteLog(object, container: container, query: request.query)
            return Self.answer(stream)
        }
        let stream: AsyncThrowingStream<ByteBuffer, any Error>
        do {
            let pod = try JSONValueDecoder().decode(Pod.self, from: object.value)
            stream = try await logSource.logs(pod: pod, container: container, options: options)
        } catch let error as PodLogError {
            switch error {
            case .badRequest(let text): throw .badRequest(text)
            case .notFound(let text): throw APIStatusError(code: 404, reason: "NotFound", message: text)
            case .unavailable(let text): throw .unavailable(text)
            }
        } catch {
            throw .internalError("\(error)")
        }
        return Self.answer(stream)
    }

    private static func answer(_ log: any AsyncSequence<ByteBuffer, any Error> & Sendable) -> APIResponse {
        APIResponse(
            status: 200, contentType: "text/plain", body: .stream { client in try await copy(log, to: client) })
    }

    /// Copies until the log ends or the client goes, whichever is first.
    static func copy(
        _ stream: any AsyncSequence<ByteBuffer, any Error> & Sendable, to client: StreamClient
    ) async throws {
        let (gone, goneSignal) = AsyncStream.makeStream(of: Void.self)
        client.onGone { goneSignal.finish() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await client.write(ByteBuffer())
                for try await part in stream { try await client.write(part) }
            }
            group.addTask { for await _ in gone {} }
            try await group.next()
            group.cancelAll()
        }
    }

    private func logOptions(_ query: QueryParameters) throws(APIStatusError) -> PodLogOptions {
        var options = PodLogOptions(
            follow: query.flag("follow"), previous: query.flag("previous"), timestamps: query.flag("timestamps"),
            tailLines: try query.integer("tailLines"), sinceSeconds: try query.integer("sinceSeconds"),
            limitBytes: try query.integer("limitBytes"))
        let time = query["sinceTime"]
        if !time.isEmpty {
            guard let since = Timestamp(rfc3339: time) else {
                throw .badRequest("query parameter sinceTime: invalid value \"\(time)\": must be an RFC 3339 time")
            }
            options.sinceTime = since
        }
        var problems: [FieldError] = []
        if let lines = options.tailLines, lines < 0 {
            problems.append(.invalid(FieldPath("tailLines"), lines, "must be greater than or equal to 0"))
        }
        if let bytes = options.limitBytes, bytes < 1 {
            problems.append(.invalid(FieldPath("limitBytes"), bytes, "must be greater than 0"))
        }
        if let seconds = options.sinceSeconds, seconds < 1 {
            problems.append(.invalid(FieldPath("sinceSeconds"), seconds, "must be greater than 0"))
        }
        if options.sinceSeconds != nil, options.sinceTime != nil {
            problems.append(.forbidden(FieldPath(), "at most one of `sinceTime` or `sinceSeconds` may be specified"))
        }
        guard problems.isEmpty else {
            let definition = ResourceDefinition(version: "v1", kind: "PodLogOptions", plural: "pods", namespaced: true)
            throw .invalid(definition, "", problems)
        }
        return options
    }

    func containerName(_ wanted: String, _ pod: StoredObject) throws(APIStatusError) -> String {
        let names: (String) -> [String] = { list in pod.value.list("spec", list).map { $0.string("name") } }
        let (containers, initial, ephemeral) = (
            names("containers"), names("initContainers"), names("ephemeralContainers")
        )
        if !wanted.isEmpty {
            guard (containers + initial + ephemeral).contains(wanted) else {
                throw .badRequest("container \(wanted) is not valid for pod \(pod.key.name)")
            }
            return wanted
        }
        if containers.count == 1 { return containers[0] }
        let annotated = pod.value.stringMap(at: "metadata", "annotations")["kubectl.kubernetes.io/default-container"]
        if let annotated, containers.contains(annotated) { return annotated }
        let choice = containers.joined(separator: " ")
        var text = "a container name must be specified for pod \(pod.key.name), choose one of: [\(choice)]"
        if !initial.isEmpty { text += " or one of the init containers: [\(initial.joined(separator: " "))]" }
        if !ephemeral.isEmpty { text += " or one of the ephemeral containers: [\(ephemeral.joined(separator: " "))]" }
        throw .badRequest(text)
    }

    /// A container that never ran has no log; its reason for waiting is what the person needs to know.
    private func checkStarted(_ container: String, _ pod: StoredObject, previous: Bool) throws(APIStatusError) {
        let statuses = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
            .flatMap { pod.value.list("status", $0) }
        guard let status = statuses.first(where: { $0.string("name") == container }) else {
            return try checkRejected(container, pod)
        }
        let hasPrevious = status[path: "lastState", "terminated"]?.objectValue != nil
        if previous, !hasPrevious {
            throw .badRequest("previous terminated container \"\(container)\" in pod \"\(pod.key.name)\" not found")
        }
        // An end without a container is one that is said of a pod that never had it.
        if !previous, status[path: "state", "terminated"]?.objectValue != nil,
            status.string("state", "terminated", "containerID").isEmpty, !hasPrevious
        {
            try checkRejected(container, pod)
        }
        let waiting = status.string("state", "waiting", "reason")
        if !previous, !waiting.isEmpty, !hasPrevious {
            try checkRejected(container, pod)
            throw .badRequest("container \"\(container)\" in pod \"\(pod.key.name)\" is waiting to start: \(waiting)")
        }
    }

    /// A pod that its node rejected will never start.
    private func checkRejected(_ container: String, _ pod: StoredObject) throws(APIStatusError) {
        let (reason, why) = (pod.value.string("status", "reason"), pod.value.string("status", "message"))
        guard pod.value.string("status", "phase") == "Failed", !reason.isEmpty else { return }
        throw .badRequest(
            "container \"\(container)\" in pod \"\(pod.key.name)\" never started: \(reason): \(why)")
    }
}
