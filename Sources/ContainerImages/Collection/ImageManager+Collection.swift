import Glibc
import LinuxKernel

/// Which images are used, and the removal of those nobody needs.
extension ImageManager {
    /// As ``resolve(_:)``, for somebody who is about to use the image.
    public func use(_ reference: String) -> StoredImage? {
        guard let id = identify(reference) else { return nil }
        noted.insert(id)
        return image(id)
    }

    /// What may be collected, as of `now` in seconds since 1970. What has changed of the images' use since the last look is kept
    /// on disk.
    public func collectionCandidates(
        needs: ImageNeeds, now: Int64
    ) async throws(ImageError) -> [ImageCollectionPlan.Candidate] {
        let needed = needed(needs)
        let used = noted
        noted = []
        if ledger.observe(present: Set(records.keys), needed: needed, used: used, now: now) {
            let (file, ledger) = (usageFile, ledger)
            try await KernelThreadPool.shared.run { () throws(ImageError) in try file.store(ledger) }
        }
        return records.values.compactMap { record in
            guard let entry = ledger.entries[record.id] else { return nil }
            return ImageCollectionPlan.Candidate(
                id: record.id.description, firstSeen: entry.firstSeen,
                lastUsed: ledger.lastUsed(record.id, now: now), isPinned: record.isPinned,
                isNeeded: needed.contains(record.id))
        }
    }

    /// Removes an image with all its names unless somebody needs it after all.
    ///
    /// For as long as that is being found out nobody finds the image: who comes later gets it anew.
    ///
    /// - Parameter needs: nil when it cannot be known, which keeps the image.
    /// - Returns: whether it is gone.
    public func collect(
        _ id: String, needs: @escaping @Sendable () async -> ImageNeeds?
    ) async throws(ImageError) -> Bool {
        guard let digest = ContentDigest(id) else { return false }
        return try await turns.run { () async throws(ImageError) in
            try await self.collectInTurn(digest, needs: needs)
        }
    }

    private func collectInTurn(
        _ id: ContentDigest, needs: @Sendable () async -> ImageNeeds?
    ) async throws(ImageError) -> Bool {
        try requireStarted()
        guard let record = records[id], !record.isPinned else { return false }
        leaving.insert(id)
        defer { leaving.remove(id) }
        guard let needs = await needs(), !needed(needs).contains(id) else { return false }
        var changed = records
        changed[id] = nil
        try await commitRemoval(changed, of: id)
        return true
    }

    /// The images that are meant by what pods ask for.
    private func needed(_ needs: ImageNeeds) -> Set<ContentDigest> {
        var found = Set(needs.ids.compactMap { ContentDigest($0) })
        for text in needs.references {
            if let parsed = try? ImageReference(parsing: text) {
                for record in records.values where record.matches(parsed) { found.insert(record.id) }
            }
            if let id = identify(text, hidden: true) { found.insert(id) }
        }
        return found
    }

    /// Whether collection leaves an image alone from now on.
    public func setPinned(_ isPinned: Bool, reference: String) async throws(ImageError) -> StoredImage {
        try await turns.run { () async throws(ImageError) in
            try await self.setPinnedInTurn(isPinned, reference: reference)
        }
    }

    private func setPinnedInTurn(_ isPinned: Bool, reference: String) async throws(ImageError) -> StoredImage {
        try requireStarted()
        guard let id = identify(reference, hidden: true) else { throw Self.notFound(reference) }
        if records[id]?.isPinned != isPinned {
            var changed = records
            changed[id]?.isPinned = isPinned
            let (index, next) = (index, Array(changed.values))
            try await KernelThreadPool.shared.run { () throws(ImageError) in try index.store(next) }
            records = changed
        }
        guard let image = image(id) else { throw Self.notFound(reference) }
        return image
    }

    static func notFound(_ reference: String) -> ImageError {
        ImageError(.notFound, "image \(ImageError.quoted(reference)): not found, or more than one ID begins so")
    }
}
