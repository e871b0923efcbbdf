import LinuxKernel

/// Fetches one layer into a staging directory: the connection writes into a pipe, a thread of its own verifies,
/// decompresses and unpacks what comes out.
struct LayerFetch: Sendable {
    let client: RegistryClient
    let descriptor: ContentDescriptor
    let diffID: ContentDigest
    let hasParent: Bool
    let limits: UnpackLimits
    let jail: UnpackJail?
    let pool: KernelThreadPool
    let meter: LayerMeter

    private var subject: String { "layer \(descriptor.digest)" }

    /// - Parameter directory: exists and is empty.
    func run(into directory: String) async throws(ImageError) -> UnpackedLayer {
        meter.set(.downloading)
        let pipe = BlobPipe()
        return try await withTaskGroup(of: Result<UnpackedLayer, ImageError>?.self) { group in
            group.addTask {
                await client.stream(descriptor, into: pipe, meter: meter)
                return nil
            }
            group.addTask {
                let result = await pool.run { () -> Result<UnpackedLayer, ImageError> in
                    defer { pipe.abandon() }
                    do throws(ImageError) { return .success(try unpack(pipe, into: directory)) } catch {
                        return .failure(error)
                    }
                }
                return result
            }
            var result: Result<UnpackedLayer, ImageError>?
            for await next in group {
                guard let next else { continue }
                result = next
                // The rest of a layer that is no good is not fetched.
                group.cancelAll()
            }
            return result ?? .failure(ImageError(.cancelled, "\(subject): the pull was cancelled"))
        }.get()
    }

    private func unpack(_ pipe: BlobPipe, into directory: String) throws(ImageError) -> UnpackedLayer {
        try LayerStream(
            blobDigest: descriptor.digest, blobSizeBytes: descriptor.sizeBytes, diffID: diffID, hasParent: hasParent,
            limits: limits, subject: subject
        ).unpack(pipe, into: directory, jail: jail)
    }
}
