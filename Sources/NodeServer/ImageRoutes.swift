import ContainerImages
import ContainerRuntime
import HTTPTypes
import Hummingbird
import HummingbirdCore
import KubernetesAPI
import NIOCore
import NodeAgent

/// Images over the unix socket of the local verbs.
enum ImageRoutes {
    /// How often a pull that somebody looks at tells how far it is.
    private static let reportInterval = Duration.milliseconds(200)

    static func add(to router: Router<NodeRequestContext>, _ state: NodeServerState) {
        router.get("/v1/images") { _, _ in
            HTTPResponses.json(.array(await state.images.list().map(json)))
        }
        addCollection(to: router, state)
        router.post("/v1/images") { request, _ in
            let query = request.uri.queryDictionary
            guard let path = query["path"], path.hasPrefix("/") else {
                return HTTPResponses.error("path: an absolute path of an archive is required", status: .badRequest)
            }
            do throws(ImageError) {
                let images = try await state.images.importArchive(
                    path: String(path), name: query["name"].map(String.init), isPinned: query["pinned"] != "false")
                return HTTPResponses.json(.array(images.map(json)))
            } catch { return HTTPResponses.error(error.message, status: .unprocessableContent) }
        }
        router.post("/v1/images/pull") { request, _ in
            let text = request.uri.queryDictionary["reference"].map(String.init) ?? ""
            do throws(ImageError) { return pull(try ImageReference(parsing: text), state) } catch {
                return HTTPResponses.error(error.message, status: .badRequest)
            }
        }
        router.delete("/v1/images") { request, _ in
            let reference = request.uri.queryDictionary["reference"].map(String.init) ?? ""
            guard let inUse = await state.host.usedImageIDs() else {
                return HTTPResponses.error("the pods' volumes cannot be read", status: .internalServerError)
            }
            do throws(ImageError) {
                return HTTPResponses.json(json(try await state.images.remove(reference: reference, inUse: inUse)))
            } catch { return HTTPResponses.error(error.message, status: .conflict) }
        }
    }

    private static func addCollection(to router: Router<NodeRequestContext>, _ state: NodeServerState) {
        router.post("/v1/images/gc") { _, _ in HTTPResponses.json(json(await state.imageCollector.collect())) }
        router.post("/v1/images/prune") { _, _ in HTTPResponses.json(json(await state.imageCollector.prune())) }
        router.post("/v1/images/verify") { request, _ in
            let reference = request.uri.queryDictionary["reference"].map(String.init)
            do throws(ImageError) {
                return HTTPResponses.json(.array(try await state.host.verifyImages(reference).map(json)))
            } catch { return HTTPResponses.error(error.message, status: .notFound) }
        }
        router.post("/v1/images/pin") { request, _ in
            let query = request.uri.queryDictionary
            let reference = query["reference"].map(String.init) ?? ""
            do throws(ImageError) {
                let image = try await state.images.setPinned(query["pinned"] != "false", reference: reference)
                return HTTPResponses.json(json(image))
            } catch { return HTTPResponses.error(error.message, status: .conflict) }
        }
    }

    private static func json(_ verified: LocalPodHost.VerifiedImage) -> JSONValue {
        let found = verified.found
        return [
            "image": json(found.image), "problems": .array(found.problems.map { .string($0) }),
            "unverified": .array(found.unverified.map { .string($0) }), "repaired": .bool(verified.isRepaired),
            "repairProblem": verified.repairProblem.map { .string($0) } ?? .null,
        ]
    }

    private static func json(_ report: ImageCollector.Report) -> JSONValue {
        [
            "removed": .array(report.removed.map(json)), "freedBytes": .integer(report.freedBytes),
            "problem": report.problem.map { .string($0) } ?? .null,
        ]
    }

    private static func json(_ image: StoredImage) -> JSONValue {
        [
            "pinned": .bool(image.isPinned), "broken": .bool(image.isBroken), "inUse": .bool(image.isInUse),
            "lastUsed": image.lastUsedSeconds.map { .string(Timestamp(seconds: $0).rfc3339) } ?? .null,
            "id": .string(image.id), "names": .array(image.names.map { .string($0) }),
            "digests": .array(image.digests.map { .string($0) }),
            "sizeBytes": .integer(image.sizeBytes), "createdAt": image.createdAt.map { .string($0) } ?? .null,
        ]
    }

    /// One JSON object per line: `progress` while it goes on, then `image` or `error`. Whoever stops reading gives it up.
    private static func pull(_ reference: ImageReference, _ state: NodeServerState) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                let (lines, line) = AsyncStream<JSONValue>.makeStream(bufferingPolicy: .unbounded)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        line.yield(await outcome(reference, state))
                        line.finish()
                    }
                    group.addTask {
                        while !Task.isCancelled {
                            try? await Task.sleep(for: reportInterval)
                            guard let progress = await state.host.pullProgress(of: reference) else { continue }
                            line.yield(["progress": progress.json])
                        }
                    }
                    defer { group.cancelAll() }
                    for await value in lines {
                        try await writer.write(ByteBuffer(bytes: value.serialized() + [UInt8(ascii: "\n")]))
                    }
                }
                try await writer.finish(nil)
            })
    }

    private static func outcome(_ reference: ImageReference, _ state: NodeServerState) async -> JSONValue {
        do throws(ImageError) {
            let outcome = try await state.host.pull(reference)
            return [
                "image": json(outcome.image), "wasCurrent": .bool(outcome.wasCurrent),
                "milliseconds": .integer(Int64(outcome.duration / .milliseconds(1))),
            ]
        } catch { return ["error": .string(error.message)] }
    }
}
