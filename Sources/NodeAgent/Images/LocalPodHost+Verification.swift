public import ContainerImages

extension LocalPodHost {
    /// What was found of an image, and what became of that.
    public struct VerifiedImage: Hashable, Sendable {
        public var found: ImageVerification
        public var isRepaired = false
        /// Why it could not be repaired.
        public var repairProblem: String?
    }

    /// Verifies an image, or all, and gets what is damaged anew from its registry. What cannot be got now is not used any more: a
    /// container that starts pulls it.
    public func verifyImages(_ reference: String?) async throws(ImageError) -> [VerifiedImage] {
        var verified: [VerifiedImage] = []
        for found in try await parts.images.verify(reference) {
            var image = VerifiedImage(found: found)
            if !found.problems.isEmpty {
                image.repairProblem = await repair(found.image)
                image.isRepaired = image.repairProblem == nil
            }
            verified.append(image)
        }
        return verified
    }

    /// Pulls an image by a digest under which it was pulled before: what comes is what was there.
    private func repair(_ image: StoredImage) async -> String? {
        // A layer that it shares may have been repaired with another image.
        if await parts.images.resolve(image.id) != nil { return nil }
        let digests = image.digests.filter { $0.contains("@") }
        guard !digests.isEmpty else { return "it was not pulled from a registry: import it again" }
        var problem = ""
        for digest in digests {
            do throws(ImageError) {
                let outcome = try await pull(try ImageReference(parsing: digest))
                if outcome.image.id == image.id { return nil }
                problem = "\(digest) is another image now"
            } catch { problem = error.message }
        }
        return problem
    }
}
