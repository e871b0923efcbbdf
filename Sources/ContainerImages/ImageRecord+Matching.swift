extension ImageRecord {
    /// Whether a normalised reference names this image: by digest when it has one, by name and tag otherwise.
    func matches(_ reference: ImageReference) -> Bool {
        guard let digest = reference.digest else { return names.contains(reference.description) }
        if pulledDigests.contains("\(reference.name)@\(digest)") { return true }
        guard digest == manifest || digest == id else { return false }
        return names.contains { (try? ImageReference(parsing: $0))?.name == reference.name }
    }
}
