internal import KubernetesAPI

/// The kinds outside the core group.
extension ResourceRegistry {
    /// Questions about who somebody is and what they may do.
    static let reviews: [RegisteredResource] = [
        RegisteredResource(TokenReview.self, isReview: true),
        RegisteredResource(SelfSubjectReview.self, isReview: true),
    ]
}
