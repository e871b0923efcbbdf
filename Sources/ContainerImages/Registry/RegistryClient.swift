import AsyncHTTPClient
import LinuxKernel
import NIOCore
import NIOHTTP1

/// Gets one repository's documents and blobs (OCI distribution-spec, "Pull") from the first endpoint that has them, with
/// the first credential that opens it.
struct RegistryClient: Sendable {
    /// In order of preference.
    let sessions: [RegistrySession]
    let limits: UnpackLimits

    /// A manifest or index as it was sent, its digest that of its bytes.
    struct Document: Sendable {
        let bytes: [UInt8]
        let mediaType: String
        let digest: ContentDigest
        /// The session that gave it.
        let session: Int
    }

    private static let manifestTypes = (ImageManifest.imageTypes.sorted() + ImageManifest.indexTypes.sorted())
        .joined(separator: ", ")

    /// The same, with the session that has answered before asked first.
    func preferring(_ session: Int) -> RegistryClient {
        RegistryClient(sessions: Array(sessions[session...] + sessions[..<session]), limits: limits)
    }

    // MARK: Documents

    /// The digest of a manifest without the manifest; `nil` when the registry does not say.
    func digest(of tagOrDigest: String) async throws(ImageError) -> (digest: ContentDigest, session: Int)? {
        do throws(ImageError) {
            return try await attempt { (session, _) async throws(TransferFailure) in
                let response = try await sessions[session].open(
                    .HEAD, sessions[session].endpoint.manifest(tagOrDigest), accept: Self.manifestTypes)
                guard let digest = response.headers.first(name: "docker-content-digest").flatMap({ ContentDigest($0) })
                else { throw TransferFailure(.refused, .invalidAnswer, "no digest") }
                return (digest, session)
            }
        } catch {
            // Not every registry answers HEAD as it answers GET: the manifest itself will tell.
            if error.code == .invalidAnswer || error.code == .notFound { return nil }
            throw error
        }
    }

    /// A manifest or index.
    func manifest(_ tagOrDigest: String, sizeBytes: Int64? = nil) async throws(ImageError) -> Document {
        try await attempt { (session, _) async throws(TransferFailure) in
            let place = "registry \(sessions[session].endpoint.name), manifest \(ImageError.quoted(tagOrDigest))"
            let response = try await sessions[session].open(
                .GET, sessions[session].endpoint.manifest(tagOrDigest), accept: Self.manifestTypes)
            let bytes = try await body(of: response, sizeBytes: sizeBytes, place: place)
            let digest = ContentDigest(of: bytes)
            if let wanted = ContentDigest(tagOrDigest), wanted != digest {
                throw TransferFailure(.refused, .digestMismatch, "\(place): what came has the digest \(digest)")
            }
            if let claimed = response.headers.first(name: "docker-content-digest"), claimed.hasPrefix("sha256:"),
                claimed != digest.description
            {
                throw TransferFailure(
                    .refused, .digestMismatch,
                    "\(place): is announced as \(ImageError.quoted(claimed)), what came has the digest \(digest)")
            }
            let type = response.headers.first(name: "content-type") ?? ""
            return Document(
                bytes: bytes, mediaType: String(type.prefix { $0 != ";" && $0 != " " }), digest: digest,
                session: session)
        }
    }

    /// A small blob, such as an image's configuration.
    func document(_ descriptor: ContentDescriptor) async throws(ImageError) -> [UInt8] {
        try await attempt { (session, _) async throws(TransferFailure) in
            let place = "registry \(sessions[session].endpoint.name), blob \(descriptor.digest)"
            let response = try await sessions[session].open(.GET, sessions[session].endpoint.blob(descriptor.digest))
            let bytes = try await body(of: response, sizeBytes: descriptor.sizeBytes, place: place)
            guard ContentDigest(of: bytes) == descriptor.digest else {
                throw TransferFailure(
                    .refused, .digestMismatch, "\(place): what came has the digest \(ContentDigest(of: bytes))")
            }
            return bytes
        }
    }

    private func body(
        of response: HTTPClientResponse, sizeBytes: Int64?, place: String
    ) async throws(TransferFailure) -> [UInt8] {
        if let sizeBytes, sizeBytes > Int64(limits.documentBytes) {
            throw TransferFailure(
                .refused, .limitExceeded, "\(place): is larger than \(limits.documentBytes) bytes")
        }
        let limit = sizeBytes.map { Int($0) } ?? limits.documentBytes
        let bytes: [UInt8]
        do {
            bytes = Array(try await response.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw sizeBytes == nil
                ? TransferFailure(.refused, .limitExceeded, "\(place): is larger than \(limit) bytes")
                : TransferFailure(.refused, .digestMismatch, "\(place): is longer than its descriptor says")
        } catch { throw TransferFailure(transport: error, place: place) }
        if let sizeBytes, Int64(bytes.count) != sizeBytes {
            throw TransferFailure(
                .refused, .digestMismatch, "\(place): has \(bytes.count) bytes instead of \(sizeBytes)")
        }
        return bytes
    }

    // MARK: Blobs

    /// Sends a blob's bytes into a pipe, beginning anew where a connection broke, until all that its descriptor promises
    /// are there. The pipe's end is told; what the bytes are is for the reader to verify.
    func stream(_ descriptor: ContentDescriptor, into pipe: BlobPipe, meter: LayerMeter) async {
        do throws(ImageError) {
            try await attempt { (session, plan) async throws(TransferFailure) in
                try await self.transfer(descriptor, session: session, plan: &plan, into: pipe, meter: meter)
            }
            pipe.finish()
        } catch {
            pipe.fail(error)
        }
    }

    private func transfer(
        _ descriptor: ContentDescriptor, session: Int, plan: inout TransferPlan, into pipe: BlobPipe, meter: LayerMeter
    ) async throws(TransferFailure) {
        let (size, offset) = (descriptor.sizeBytes, plan.received)
        guard offset < size else { return }
        let place = "registry \(sessions[session].endpoint.name), blob \(descriptor.digest)"
        let response = try await sessions[session].open(
            .GET, sessions[session].endpoint.blob(descriptor.digest), range: offset > 0 ? "bytes=\(offset)-" : nil)
        let status = Int(response.status.code)
        guard
            var skipped = ContentRange.bytesToSkip(
                status: status, header: response.headers.first(name: "content-range"), offset: offset)
        else { throw TransferFailure(.refused, .invalidAnswer, "\(place): answers with another range than asked for") }
        if let length = response.headers.first(name: "content-length").flatMap({ Int64($0) }),
            length != size - offset + skipped
        {
            throw TransferFailure(
                .refused, .digestMismatch,
                "\(place): is announced with another size than the \(size) bytes of its descriptor")
        }
        let clock = ContinuousClock()
        let start = clock.now
        var stall = StallWatch(now: .zero)
        do {
            for try await var chunk in response.body {
                if stall.received(chunk.readableBytes, now: clock.now - start) {
                    throw TransferFailure(.broken, .unavailable, "\(place): too slow to be alive")
                }
                if skipped > 0 {
                    let count = min(Int(clamping: skipped), chunk.readableBytes)
                    chunk.moveReaderIndex(forwardBy: count)
                    skipped -= Int64(count)
                }
                guard Int64(chunk.readableBytes) <= size - plan.received else {
                    throw TransferFailure(.refused, .digestMismatch, "\(place): is longer than its descriptor says")
                }
                plan.received(chunk.readableBytes)
                meter.set(received: plan.received)
                guard await pipe.send(chunk) else {
                    throw TransferFailure(.refused, .cancelled, "\(place): is not wanted any more")
                }
            }
        } catch { throw TransferFailure(transport: error, place: place) }
        guard plan.received == size else {
            throw TransferFailure(
                .broken, .digestMismatch, "\(place): ends after \(plan.received) of \(size) bytes")
        }
    }

    // MARK: Tries

    /// Carries a plan out: tries `body` until it succeeds or no endpoint is left.
    private func attempt<Value: Sendable>(
        _ body: (Int, inout TransferPlan) async throws(TransferFailure) -> Value
    ) async throws(ImageError) -> Value {
        var plan = TransferPlan(endpoints: sessions.count)
        var step = plan.first
        var errors: [ImageError] = []
        while case .attempt(let session, _, let delay) = step {
            if delay > .zero {
                do { try await Task.sleep(for: delay) } catch {
                    throw ImageError(.cancelled, "the pull was cancelled")
                }
            }
            if Task.isCancelled { throw ImageError(.cancelled, "the pull was cancelled") }
            do throws(TransferFailure) { return try await body(session, &plan) } catch {
                if error.error.code == .cancelled { throw error.error }
                errors.append(error.error)
                step = plan.failed(error.setback)
            }
        }
        throw Self.summary(errors)
    }

    /// One line for all that went wrong: what each endpoint said last, the decisive one first.
    private static func summary(_ errors: [ImageError]) -> ImageError {
        guard let last = errors.last else {
            return ImageError(.invalidConfiguration, "there is no endpoint to pull from")
        }
        let decisive = errors.last { $0.code == .unauthorized } ?? last
        var messages = [decisive.message]
        for error in errors.reversed() where messages.count < 3 && !messages.contains(error.message) {
            messages.append(error.message)
        }
        return ImageError(decisive.code, messages.joined(separator: "; "))
    }
}
