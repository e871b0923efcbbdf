/// What a look at everything the store keeps of one image has found.
public struct ImageVerification: Hashable, Sendable {
    public var image: StoredImage
    /// What is damaged, one line each; the image is not used any more until it was got again.
    public var problems: [String] = []
    /// What could not be verified, one line each.
    public var unverified: [String] = []
}
