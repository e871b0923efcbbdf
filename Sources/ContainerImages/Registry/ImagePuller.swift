import LinuxKernel
import Synchronization

/// Pulls images from registries into the node's store: each image once for all who want it at the same time, each layer
/// once for all images, layers side by side. ``run()`` does the work.
public final class ImagePuller: Sendable {
    /// What became of a pull.
    public struct Outcome: Hashable, Sendable {
        public let image: StoredImage
        /// The registry has said that what is here is what the name stands for: nothing was fetched.
        public let wasCurrent: Bool
        /// Time of the work itself, without waiting for others.
        public let duration: Duration
    }

    private struct Key: Hashable, Sendable {
        let reference: String
        /// Who is asking, at which endpoints: others may see something else under the same name.
        let doors: [Door]
    }

    struct Door: Hashable, Sendable {
        let endpoint: RegistryEndpoint
        let credential: RegistryCredential?
    }

    private struct Meters {
        var layers: [ContentDigest: LayerMeter] = [:]
        var pulls: [Key: [LayerMeter]] = [:]
    }

    private let images: ImageManager
    private let transport: RegistryTransport
    private let limits: UnpackLimits
    private let trust: @Sendable () -> ImageTrustPolicy
    private let pulls = SharedWork<Key, Outcome>()
    private let layers = SharedWork<ContentDigest, Int64>()
    private let slots = LayerSlots(ImagePuller.parallelLayers)
    private let pool = Mutex<KernelThreadPool?>(nil)
    private let meters = Mutex(Meters())
    private let transferred = TransferTotal()

    /// As many as docker and containerd take: with two processors one inflates while one writes and one waits for bytes.
    static let parallelLayers = 3

    /// - Parameters:
    ///   - images: the store; to be started before the first pull.
    ///   - trust: what is in force now.
    public init(
        images: ImageManager, configuration: RegistryConfiguration, limits: UnpackLimits = UnpackLimits(),
        trust: @escaping @Sendable () -> ImageTrustPolicy = { ImageTrustPolicy() }
    ) {
        self.images = images
        self.limits = limits
        self.trust = trust
        transport = RegistryTransport(configuration: configuration)
    }

    /// Does what is asked until cancelled; what is under way then is given up.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pulls.run() }
            group.addTask { await self.layers.run() }
        }
        await transport.shutdown()
    }

    // MARK: Credentials

    /// Every way to ask for an image with these credentials, in order.
    func doors(_ reference: ImageReference, _ keyring: RegistryKeyring) -> [Door] {
        transport.configuration.endpoints(for: reference).flatMap { endpoint -> [Door] in
            let found = keyring.credentials(registry: endpoint.credentialHost, repository: endpoint.repository)
            guard !found.isEmpty else { return [Door(endpoint: endpoint, credential: nil)] }
            return found.map { Door(endpoint: endpoint, credential: $0) }
        }
    }

    /// What a keyring has for an image, at whichever endpoint: who may use it when it is here already.
    public func credentials(for reference: ImageReference, in keyring: RegistryKeyring) -> [RegistryCredential] {
        doors(reference, keyring).compactMap(\.credential)
    }

    // MARK: Pulling

    /// Asks the registry what `reference` stands for, and gets what of it is not here.
    ///
    /// - Throws: ``ImageError``, its message one line; the store is then as it was, but for whole layers, which a next try
    ///   finds. ``ImageError/Code/cancelled`` when the calling task is cancelled.
    public func pull(_ reference: ImageReference, keyring: RegistryKeyring) async throws(ImageError) -> Outcome {
        let key = Key(reference: reference.description, doors: doors(reference, keyring))
        do throws(ImageError) {
            return try await pulls.value(for: key) { () async throws(ImageError) in
                defer { self.meters.withLock { $0.pulls[key] = nil } }
                return try await self.perform(reference, key)
            }
        } catch {
            guard error.code == .unauthorized, !keyring.problems.isEmpty else { throw error }
            // What it was refused for.
            throw ImageError(error.code, ([error.message] + keyring.problems).joined(separator: "; "))
        }
    }

    /// How far a pull of `reference` is, whoever has asked for it; `nil` when there is none.
    public func progress(of reference: ImageReference) -> PullProgress? {
        let name = reference.description
        let layers = meters.withLock { $0.pulls.first { $0.key.reference == name }?.value }
        return layers.map { PullProgress(layers: $0.map(\.layer)) }
    }

    /// Bytes of layers that have come from registries.
    public var receivedBytes: UInt64 { transferred.value }

    private func perform(_ reference: ImageReference, _ key: Key) async throws(ImageError) -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        let client = RegistryClient(
            sessions: key.doors.map {
                RegistrySession(endpoint: $0.endpoint, credential: $0.credential, transport: transport)
            }, limits: limits)
        let trust = trust()
        // What is here and has not proved what is asked now must do it, as if it came now.
        if let found = await images.find(reference, credentials: [])?.image,
            trust.problem(of: found, as: reference.description) == nil,
            let answer = try await client.digest(of: reference.digest?.description ?? reference.tag ?? "latest"),
            let image = try await images.confirm(
                reference, digest: answer.digest, credential: key.doors[answer.session].credential),
            trust.problem(of: image, as: reference.description) == nil
        {
            return Outcome(image: image, wasCurrent: true, duration: clock.now - start)
        }
        let resolved = try await ResolvedManifest.resolve(reference, client: client)
        var signer: String?
        if let rule = trust.rule(for: reference.name) {
            let check = SignatureCheck(
                rule: rule, reference: reference, client: client.preferring(resolved.session))
            signer = try await check.run(
                [resolved.topDigest, resolved.manifestDigest], others: [resolved.configDigest])
        }
        var access = ImageAccess()
        access.record(repository: reference.name, credential: key.doors[resolved.session].credential)
        try await images.hold(resolved.chain)
        do throws(ImageError) {
            try await fetchConfined(resolved, client: client.preferring(resolved.session), key)
            let image = try await images.install(resolved, access: access, signer: signer)
            await images.release(resolved.chain)
            // What earlier tries of whatever image have left, and is of no use any more.
            if !isBusy { try? await images.removeUnneededLayers() }
            return Outcome(image: image, wasCurrent: false, duration: clock.now - start)
        } catch {
            await images.release(resolved.chain)
            throw error
        }
    }

    /// Whether another pull than the one that asks is under way.
    private var isBusy: Bool { meters.withLock { $0.pulls.count > 1 } }

    private func fetchConfined(
        _ resolved: ResolvedManifest, client: RegistryClient, _ key: Key
    ) async throws(ImageError) {
        let jail = images.jail
        jail?.retain()
        let result: Result<Void, ImageError>
        do throws(ImageError) {
            result = .success(try await fetchLayers(of: resolved, client: client, key))
        } catch { result = .failure(error) }
        let isLast = !isBusy
        await KernelThreadPool.shared.run {
            jail?.release()
            // Buffers of layers leave holes, which would be there beside those of the next pull.
            if isLast { ProcessMemory.release() }
        }
        try result.get()
    }

    private func fetchLayers(
        of resolved: ResolvedManifest, client: RegistryClient, _ key: Key
    ) async throws(ImageError) {
        var mine: [LayerMeter] = []
        for (chainID, descriptor) in zip(resolved.chain, resolved.layers) {
            mine.append(await meter(chainID, descriptor))
        }
        let shown = mine
        meters.withLock { $0.pulls[key] = shown }
        let chain = LayerChain(resolved: resolved, client: client, meters: mine)
        let result = await withTaskGroup(of: Result<Int64, ImageError>.self) { group in
            for index in resolved.layers.indices {
                group.addTask {
                    do throws(ImageError) { return .success(try await self.ready(index, of: chain)) } catch {
                        return .failure(error)
                    }
                }
            }
            var (failure, total): (ImageError?, Int64) = (nil, 0)
            for await next in group {
                switch next {
                case .success(let bytes): total = total &+ bytes
                case .failure(let error):
                    // The first is the cause: those after it were cancelled for it.
                    if failure == nil { failure = error }
                    group.cancelAll()
                }
            }
            return failure.map { Result.failure($0) } ?? Result<Int64, ImageError>.success(total)
        }
        guard try result.get() <= limits.importBytes else {
            throw ImageError(
                .limitExceeded,
                "image \(ImageError.quoted(resolved.reference.description)): unpacks to more than \(limits.importBytes) bytes"
            )
        }
    }

    /// The layers of one pull, and how they are got.
    private struct LayerChain: Sendable {
        let resolved: ResolvedManifest
        let client: RegistryClient
        let meters: [LayerMeter]
    }

    private func meter(_ chainID: ContentDigest, _ descriptor: ContentDescriptor) async -> LayerMeter {
        let isPresent = await images.hasLayer(chainID)
        return meters.withLock { meters in
            if !isPresent, let known = meters.layers[chainID] { return known }
            return LayerMeter(
                PullProgress.Layer(
                    digest: descriptor.digest.description, totalBytes: descriptor.sizeBytes,
                    stage: isPresent ? .present : .waiting), total: transferred)
        }
    }

    /// Returns once a layer and all below it are in the store: the bytes this has unpacked.
    private func ready(_ index: Int, of chain: LayerChain) async throws(ImageError) -> Int64 {
        let chainID = chain.resolved.chain[index]
        if await images.hasLayer(chainID) { return 0 }
        return try await layers.value(for: chainID) { () async throws(ImageError) in
            self.meters.withLock { $0.layers[chainID] = chain.meters[index] }
            defer { self.meters.withLock { $0.layers[chainID] = nil } }
            if await self.images.hasLayer(chainID) { return 0 }
            return try await self.fetch(index, of: chain)
        }
    }

    private func fetch(_ index: Int, of chain: LayerChain) async throws(ImageError) -> Int64 {
        let staging = try await images.makeStaging()
        do throws(ImageError) {
            let layer = try await unpack(index, of: chain, staging: staging)
            chain.meters[index].set(.storing)
            try await take(layer, index, of: chain, staging: staging)
            chain.meters[index].set(.done)
            return layer.bytes
        } catch {
            await images.discard(staging: staging)
            throw error
        }
    }

    /// Into the store, as soon as all below it are there or come along with it.
    private func take(
        _ layer: UnpackedLayer, _ index: Int, of chain: LayerChain, staging: String
    ) async throws(ImageError) {
        try await withTaskGroup(of: Result<Void, ImageError>.self) { group in
            group.addTask {
                do throws(ImageError) {
                    return .success(
                        try await self.images.addLayer(
                            layer, staging: staging, chainID: chain.resolved.chain[index],
                            diffID: chain.resolved.document.diffIDs[index],
                            below: chain.resolved.chain[..<index].reversed()))
                } catch { return .failure(error) }
            }
            if index > 0 {
                // One that was there and was found damaged meanwhile is got again by this.
                group.addTask {
                    do throws(ImageError) {
                        _ = try await self.ready(index - 1, of: chain)
                        return .success(())
                    } catch { return .failure(error) }
                }
            }
            var result = Result<Void, ImageError>.success(())
            for await next in group {
                guard case .failure = next, case .success = result else { continue }
                result = next
                group.cancelAll()
            }
            return result
        }.get()
    }

    private func unpack(_ index: Int, of chain: LayerChain, staging: String) async throws(ImageError) -> UnpackedLayer {
        await slots.enter()
        let fetch = LayerFetch(
            client: chain.client, descriptor: chain.resolved.layers[index],
            diffID: chain.resolved.document.diffIDs[index], hasParent: index > 0, limits: limits, jail: images.jail,
            pool: threads, meter: chain.meters[index])
        do throws(ImageError) {
            let layer = try await fetch.run(into: images.stagingDirectory(staging))
            await slots.leave()
            return layer
        } catch {
            await slots.leave()
            throw error
        }
    }

    /// Of its own: a thread waits for bytes for as long as the network takes.
    private var threads: KernelThreadPool {
        pool.withLock { pool in
            if let pool { return pool }
            let made = KernelThreadPool(threads: Self.parallelLayers)
            pool = made
            return made
        }
    }
}
