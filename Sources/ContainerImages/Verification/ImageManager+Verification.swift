import LinuxKernel

/// Verification of what is stored: documents against their digests, layers against the seal that was taken after they were unpacked.
extension ImageManager {
    /// Hashes everything that is kept of an image, or of all. What is damaged is not used from then on: containers that start get
    /// the image anew.
    public func verify(_ reference: String?) async throws(ImageError) -> [ImageVerification] {
        try requireStarted()
        var wanted = records.values.sorted {
            ($0.names.first ?? "", $0.id.hexadecimal) < ($1.names.first ?? "", $1.id.hexadecimal)
        }
        if let reference {
            guard let id = identify(reference, hidden: true) else { throw Self.notFound(reference) }
            wanted = wanted.filter { $0.id == id }
        }
        var layers: [ContentDigest: LayerState] = [:]
        var found: [ImageVerification] = []
        for record in wanted {
            guard let image = image(record.id) else { continue }
            var verification = ImageVerification(image: image)
            let documents = try await problems(ofDocumentsOf: record)
            for chainID in record.layers {
                if layers[chainID] == nil { layers[chainID] = try await state(of: chainID) }
                switch layers[chainID] {
                case .sound?, nil: break
                case .unsealed?:
                    verification.unverified.append("layer \(chainID): no digest of its files is kept yet")
                case .broken(let reason)?: verification.problems.append("layer \(chainID): \(reason)")
                }
            }
            verification.problems += documents
            if !documents.isEmpty { try await markBroken(record.id) }
            found.append(verification)
        }
        let broken = layers.filter { if case .broken = $0.value { true } else { false } }.map(\.key)
        if !broken.isEmpty { try await markBroken(layers: broken) }
        return found
    }

    private enum LayerState: Sendable {
        case sound
        case unsealed
        case broken(String)
    }

    private func problems(ofDocumentsOf record: ImageRecord) async throws(ImageError) -> [String] {
        let content = content
        let digests = [record.id, record.manifest].compactMap { $0 }
        return await KernelThreadPool.shared.run {
            digests.compactMap { digest in
                do throws(ImageError) { _ = try content.read(digest) } catch { return error.message }
                return nil
            }
        }
    }

    private func state(of chainID: ContentDigest) async throws(ImageError) -> LayerState {
        guard let record = layerRecords[chainID] else { return .broken("is missing") }
        if record.isBroken { return .broken("was found damaged before") }
        let store = layerStore
        return await verifier.run {
            guard store.isComplete(record) else { return .broken("its directory or its record is missing or damaged") }
            guard let seal = record.seal else { return .unsealed }
            do throws(KernelError) {
                let digest = try LayerSeal.digest(of: store.diffDirectory(chainID))
                return digest == seal ? .sound : .broken("its files are not those that were unpacked")
            } catch { return .broken("cannot be read: \(error)") }
        }
    }

    private func markBroken(_ id: ContentDigest) async throws(ImageError) {
        try await turns.run { () async throws(ImageError) in try await self.markBrokenInTurn(id) }
    }

    private func markBrokenInTurn(_ id: ContentDigest) async throws(ImageError) {
        guard records[id]?.isBroken == false else { return }
        var changed = records
        changed[id]?.isBroken = true
        let (index, next) = (index, Array(changed.values))
        try await KernelThreadPool.shared.run { () throws(ImageError) in try index.store(next) }
        records = changed
    }

    private func markBroken(layers: [ContentDigest]) async throws(ImageError) {
        try await turns.run { () async throws(ImageError) in
            for chainID in layers { try await self.changeLayerInTurn(chainID) { $0.isBroken = true } }
        }
    }

    /// Changes what is known of a layer, on disk as well.
    private func changeLayerInTurn(
        _ chainID: ContentDigest, _ change: (inout LayerRecord) -> Void
    ) async throws(ImageError) {
        guard var record = layerRecords[chainID] else { return }
        change(&record)
        layerRecords[chainID] = record
        let (store, changed) = (layerStore, record)
        try await KernelThreadPool.shared.run { () throws(ImageError) in try store.update(changed) }
    }

    // MARK: Seals

    /// Takes the seals of layers that have none yet, one after the other: after a pull, so that it does not have to wait for that.
    public func sealLayers() async throws(ImageError) {
        let (store, verifier) = (layerStore, verifier)
        for (chainID, record) in layerRecords where record.seal == nil && !record.isBroken && !Task.isCancelled {
            let wasNeeded = isReferenced(chainID)
            try hold([chainID])
            let seal = await verifier.run { try? LayerSeal.digest(of: store.diffDirectory(chainID)) }
            release([chainID])
            try await turns.run { () async throws(ImageError) in
                if let seal { try await self.changeLayerInTurn(chainID) { $0.seal = seal } }
                // Its last image was removed while the layer was being read.
                if wasNeeded { try await self.dropInTurn(chainID) }
            }
        }
    }

    private func isReferenced(_ chainID: ContentDigest) -> Bool {
        records.values.contains { $0.layers.contains(chainID) }
    }

    private func dropInTurn(_ chainID: ContentDigest) async throws(ImageError) {
        guard !isReferenced(chainID), heldLayers[chainID] == nil, layerRecords[chainID] != nil else { return }
        layerRecords[chainID] = nil
        let store = layerStore
        try await KernelThreadPool.shared.run { () throws(ImageError) in try store.remove(chainID) }
    }

    // MARK: Who is sound

    /// Whether nobody has found anything of an image damaged.
    func isSound(_ record: ImageRecord) -> Bool {
        !record.isBroken && record.layers.allSatisfy { layerRecords[$0]?.isBroken == false }
    }
}
