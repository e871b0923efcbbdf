/// What images must prove before anything of them is unpacked or run, by their names.
public struct ImageTrustPolicy: Hashable, Sendable {
    /// One of the digests, or a signature of one of the keys, is enough.
    public struct Rule: Hashable, Sendable {
        /// `registry/repository` as image names are written in full; `*` stands for any text.
        public var pattern: String
        /// Of manifests, indexes, or image IDs.
        public var digests: Set<ContentDigest>
        public var keys: Set<SignatureKey>

        public init(pattern: String, digests: Set<ContentDigest> = [], keys: Set<SignatureKey> = []) {
            self.pattern = pattern
            self.digests = digests
            self.keys = keys
        }
    }

    /// The first that fits a name decides; images that none fits need to prove nothing.
    public var rules: [Rule]

    public init(rules: [Rule] = []) {
        self.rules = rules
    }

    /// - Parameter name: `registry/repository`.
    func rule(for name: String) -> Rule? {
        // Hosts are the same in upper case, and with the port that they have anyway.
        var name = name.lowercased()
        let authority = name.prefix { $0 != "/" }
        if authority.hasSuffix(":443") { name = String(authority.dropLast(4)) + String(name[authority.endIndex...]) }
        return rules.first { RegistryPattern.matches($0.pattern.lowercased()[...], name[...]) }
    }

    /// Why an image that is here must not be used; nil when it may. A present image has proved what is recorded with it.
    ///
    /// - Parameter text: as whoever wants it names it: by a name, which then decides, or else by its ID; then one of the names under
    ///   which it came is enough, because it could be had by that.
    public func problem(of image: StoredImage, as text: String) -> String? {
        guard !rules.isEmpty else { return nil }
        let all = image.repositories
        var asked = all
        if let reference = try? ImageReference(parsing: text), all.contains(reference.name) { asked = [reference.name] }
        // An image without any name: nothing tells what it is.
        guard !asked.isEmpty else {
            return rule(for: "") == nil ? nil : "it has no name, and every image needs a proof"
        }
        var problem: String?
        for name in asked.sorted() {
            guard let rule = rule(for: name) else { return nil }
            if rule.accepts(image, as: name) { return nil }
            problem = problem ?? rule.demand(of: name)
        }
        return problem
    }
}

extension ImageTrustPolicy.Rule {
    /// Whether the list of digests alone lets an image in.
    func lists(_ candidates: [ContentDigest]) -> Bool { candidates.contains { digests.contains($0) } }

    fileprivate func accepts(_ image: StoredImage, as name: String) -> Bool {
        let known =
            [ContentDigest(image.id)]
            + image.digests.map { text in
                ContentDigest(String(text.drop { $0 != "@" }.dropFirst())) ?? ContentDigest(text)
            }
        if lists(known.compactMap(\.self)) { return true }
        let signers = image.signers[name] ?? []
        return keys.contains { signers.contains($0.fingerprint) }
    }

    /// One line: what the policy asks for.
    func demand(of name: String) -> String {
        let proofs = [
            digests.isEmpty ? nil : "one of \(digests.count) digests",
            keys.isEmpty ? nil : "a signature of one of \(keys.count) keys",
        ]
        return "the node's policy for images \(ImageError.quoted(pattern)) asks \(name) for "
            + proofs.compactMap(\.self).joined(separator: " or ") + ", and it has none"
    }
}

extension StoredImage {
    /// `registry/repository` of all its names and of where it was pulled from.
    var repositories: Set<String> {
        let texts = names + digests.filter { $0.contains("@") }
        return Set(texts.compactMap { try? ImageReference(parsing: $0).name })
    }
}
