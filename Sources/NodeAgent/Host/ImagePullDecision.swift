import ContainerImages

/// What has to be done before a container can have its image: the pull policy, and nothing else.
enum ImagePullDecision: Hashable, Sendable {
    /// What is here may be used.
    case use
    case pull
    /// It cannot be had: the waiting reason and a message.
    case refuse(reason: String, message: String)

    /// - Parameters:
    ///   - policy: `Always`, `IfNotPresent` or `Never`; nil is the default for the name's tag.
    ///   - isPermitted: the pod may use what is here: it was not pulled with a credential that the pod does not have.
    ///   - distrust: why what is here must not be used; a pull may bring its proof.
    static func decide(
        image: String, tag: String?, policy: String?, isPresent: Bool, isPermitted: Bool, distrust: String? = nil
    ) -> ImagePullDecision {
        switch policy ?? (tag == "latest" ? "Always" : "IfNotPresent") {
        case "Never" where isPresent && !isPermitted:
            .refuse(
                reason: "ErrImageNeverPull",
                message:
                    "Container image \"\(image)\" is present, but was pulled with a credential that this pod does not have; its pull policy is Never"
            )
        case "Never" where !isPresent:
            .refuse(
                reason: "ErrImageNeverPull",
                message: "Container image \"\(image)\" is not present with pull policy of Never")
        case "Never":
            distrust.map { .refuse(reason: LocalPodHost.distrusted, message: "Container image \"\(image)\": \($0)") }
                ?? .use
        case "Always": .pull
        default: isPresent && isPermitted && distrust == nil ? .use : .pull
        }
    }
}
