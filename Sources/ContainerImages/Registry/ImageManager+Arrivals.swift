import LinuxKernel

/// Taking unpacked layers into the store. A syncfs(2) for each of them would have an image wait for the disk as often as it has layers:
/// all that have come while one was under way share the next.
extension ImageManager {
    /// Takes an unpacked layer in: fitted onto those below it, on disk, and then under its name. Returns when it is, and every layer
    /// below it; while one of them is missing, it waits.
    ///
    /// - Parameter below: chain identifiers of the layers it stands on, topmost first.
    func addLayer(
        _ layer: UnpackedLayer, staging: String, chainID: ContentDigest, diffID: ContentDigest, below: [ContentDigest]
    ) async throws(ImageError) {
        let record = LayerRecord(
            chainID: chainID, diffID: diffID, bytes: layer.bytes, inodes: Int64(layer.inodes),
            opaqueRoot: layer.opaqueRoot)
        let number = arrivals.add(LayerArrival(layer: layer, staging: staging, record: record, below: below))
        await takeArrivals()
        try await arrivals.outcome(of: number)
    }

    /// Whoever comes first takes in what comes meanwhile, too.
    private func takeArrivals() async {
        guard !isTakingArrivals else { return }
        isTakingArrivals = true
        while true {
            let batch = arrivals.take { layerRecords[$0]?.isBroken == false }
            guard !batch.isEmpty else { break }
            await take(batch)
        }
        isTakingArrivals = false
    }

    private func take(_ batch: [(number: UInt64, arrival: LayerArrival)]) async {
        let jobs = planned(batch.map(\.arrival))
        let store = layerStore
        let fitted = await KernelThreadPool.shared.run { Self.fit(jobs, in: store) }
        let sound = zip(batch, fitted).compactMap { entry, result -> LayerArrival? in
            if case .success = result { entry.arrival } else { nil }
        }
        var published = Result<Void, ImageError>.success(())
        do throws(ImageError) {
            try await turns.run { () async throws(ImageError) in try await self.publish(sound) }
        } catch { published = .failure(error) }
        for (entry, result) in zip(batch, fitted) {
            switch result {
            case .success: arrivals.finish(entry.number, published)
            case .failure: arrivals.finish(entry.number, result)
            }
        }
    }

    /// A layer and the overlay lower directories that it is fitted onto, topmost first.
    private struct FittingJob: Sendable {
        let arrival: LayerArrival
        let lowers: [String]
    }

    private func planned(_ arrivals: [LayerArrival]) -> [FittingJob] {
        var staged: [ContentDigest: LayerArrival] = [:]
        return arrivals.map { arrival in
            defer { staged[arrival.record.chainID] = arrival }
            var lowers: [String] = []
            for chainID in arrival.record.opaqueRoot ? [] : arrival.below {
                let (directory, isOpaque): (String, Bool)
                if let other = staged[chainID] {
                    (directory, isOpaque) = (layerStore.stagingDiffDirectory(other.staging), other.record.opaqueRoot)
                } else if let record = layerRecords[chainID] {
                    (directory, isOpaque) = (layerStore.diffDirectory(chainID), record.opaqueRoot)
                } else {
                    break
                }
                lowers.append(directory)
                if isOpaque { break }
            }
            return FittingJob(arrival: arrival, lowers: lowers)
        }
    }

    /// Fits layers onto those below them and has them on disk. What stands on one that fails fails with it. Blocks.
    private static func fit(_ jobs: [FittingJob], in store: LayerStore) -> [Result<Void, ImageError>] {
        var failed: [ContentDigest: ImageError] = [:]
        var results = jobs.map { job -> Result<Void, ImageError> in
            let (arrival, chainID) = (job.arrival, job.arrival.record.chainID)
            if let error = arrival.below.first.flatMap({ failed[$0] }) {
                failed[chainID] = error
                return .failure(error)
            }
            do throws(ImageError) {
                try arrival.layer.finish(
                    directory: store.stagingDiffDirectory(arrival.staging), lowers: job.lowers,
                    subject: "layer \(arrival.record.diffID)")
                return .success(())
            } catch {
                failed[chainID] = error
                return .failure(error)
            }
        }
        let sound = jobs.map(\.arrival).filter { failed[$0.record.chainID] == nil }
        guard !sound.isEmpty else { return results }
        do throws(ImageError) {
            try store.makeDurable(sound.map { ($0.staging, $0.record) })
        } catch {
            for (index, job) in jobs.enumerated() where failed[job.arrival.record.chainID] == nil {
                results[index] = .failure(error)
            }
        }
        return results
    }

    private func publish(_ arrived: [LayerArrival]) async throws(ImageError) {
        // Of some an import may have been faster.
        let (known, new) = (
            arrived.filter { hasLayer($0.record.chainID) }, arrived.filter { !hasLayer($0.record.chainID) }
        )
        for arrival in known { await discard(staging: arrival.staging) }
        guard !new.isEmpty else { return }
        let store = layerStore
        try await KernelThreadPool.shared.run { () throws(ImageError) in
            try store.publish(new.map { ($0.staging, $0.record) })
        }
        for arrival in new { layerRecords[arrival.record.chainID] = arrival.record }
    }
}
