import ContainerImages
import KubernetesAPI

/// As whom a container runs: its image's USER, overruled field by field by the pod's and the container's security context.
struct ContainerIdentity: Hashable, Sendable {
    var userID: UInt32
    var groupID: UInt32
    var supplementaryGroups: [UInt32]
    var home: String

    /// - Parameter imageUser: the image's USER, resolved in its own /etc/passwd.
    static func resolve(
        _ pod: Pod, _ container: Container, imageUser: ImageUser, imageUserText: String
    ) throws(ContainerConfigError) -> ContainerIdentity {
        let (podContext, context) = (pod.spec.securityContext, container.securityContext)
        let user = context?.runAsUser ?? podContext?.runAsUser
        let group = context?.runAsGroup ?? podContext?.runAsGroup
        var identity = ContainerIdentity(
            userID: imageUser.uid, groupID: imageUser.gid, supplementaryGroups: [], home: imageUser.home)
        if let user {
            identity.userID = try identifier(user, "securityContext.runAsUser")
            if UInt32(clamping: user) != imageUser.uid {
                // Not the image's user: nothing of the image's passwd entry holds for it.
                identity.groupID = 0
                identity.home = "/"
            }
        }
        if let group { identity.groupID = try identifier(group, "securityContext.runAsGroup") }
        if podContext?.supplementalGroupsPolicy != "Strict", identity.userID == imageUser.uid {
            identity.supplementaryGroups = imageUser.supplementaryGroups
        }
        for extra in (podContext?.fsGroup.map { [$0] } ?? []) + (podContext?.supplementalGroups ?? []) {
            let group = try identifier(extra, "securityContext.supplementalGroups")
            if !identity.supplementaryGroups.contains(group) { identity.supplementaryGroups.append(group) }
        }
        if context?.runAsNonRoot ?? podContext?.runAsNonRoot ?? false {
            try requireNonRoot(container, identity, explicitUser: user, imageUserText: imageUserText)
        }
        return identity
    }

    private static func requireNonRoot(
        _ container: Container, _ identity: ContainerIdentity, explicitUser: Int64?, imageUserText: String
    ) throws(ContainerConfigError) {
        if explicitUser == 0 {
            throw ContainerConfigError("container's runAsUser breaks non-root policy (container \(container.name))")
        }
        if explicitUser == nil, identity.userID == 0 {
            throw ContainerConfigError(
                "container has runAsNonRoot and image will run as root (container \(container.name))")
        }
        let imageName = imageUserText.split(separator: ":").first ?? ""
        if explicitUser == nil, imageName.contains(where: { !$0.isNumber }) {
            throw ContainerConfigError(
                "container has runAsNonRoot and image has non-numeric user (\(imageUserText)), cannot verify user is non-root"
            )
        }
    }

    private static func identifier(_ value: Int64, _ field: String) throws(ContainerConfigError) -> UInt32 {
        guard value >= 0, value <= Int64(Int32.max) else {
            throw ContainerConfigError("\(field): \(value) is not between 0 and \(Int32.max)")
        }
        return UInt32(value)
    }
}

/// A container that cannot be made from its specification now: `CreateContainerConfigError` in the pod's status.
struct ContainerConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    let message: String

    init(_ message: String) {
        self.message = message
    }

    var description: String { message }
}
