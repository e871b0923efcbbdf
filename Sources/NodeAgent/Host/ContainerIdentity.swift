import ContainerImages
import KubernetesAPI

/// As whom a container runs: its image's USER, overruled field by field by the pod's and the container's security context.
struct ContainerIdentity: Hashable, Sendable {
    var userID: UInt32
    var groupID: UInt32
    var supplementaryGroups: [UInt32]
    var home: String

    /// Whom to look up in the image: the user of the security context, or else the image's own USER.
    static func userText(
        _ pod: Pod, _ container: Container, imageUserText: String
    ) throws(ContainerConfigError) -> String {
        guard let user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser else {
            return imageUserText
        }
        return "\(try identifier(user, "securityContext.runAsUser"))"
    }

    /// - Parameters:
    ///   - imageUser: what the image's own /etc/passwd and /etc/group say of ``userText(_:_:imageUserText:)``.
    ///   - imageUserText: the image's USER.
    static func resolve(
        _ pod: Pod, _ container: Container, imageUser: ImageUser, imageUserText: String
    ) throws(ContainerConfigError) -> ContainerIdentity {
        let (podContext, context) = (pod.spec.securityContext, container.securityContext)
        let user = context?.runAsUser ?? podContext?.runAsUser
        var identity = ContainerIdentity(
            userID: imageUser.uid, groupID: imageUser.gid, supplementaryGroups: [], home: imageUser.home)
        if let group = context?.runAsGroup ?? podContext?.runAsGroup {
            identity.groupID = try identifier(group, "securityContext.runAsGroup")
        }
        // The group itself first: a program that gives it up must not gain access where a file's mode denies it to the group.
        var groups = [identity.groupID]
        if podContext?.supplementalGroupsPolicy != "Strict" { groups += imageUser.supplementaryGroups }
        for extra in (podContext?.fsGroup.map { [$0] } ?? []) + (podContext?.supplementalGroups ?? []) {
            groups.append(try identifier(extra, "securityContext.supplementalGroups"))
        }
        for group in groups where !identity.supplementaryGroups.contains(group) {
            identity.supplementaryGroups.append(group)
        }
        if context?.runAsNonRoot ?? podContext?.runAsNonRoot ?? false {
            try requireNonRoot(pod, container, identity, explicitUser: user, imageUserText: imageUserText)
        }
        return identity
    }

    /// Nobody else exists in the pod's user namespace.
    func requireIDs(below count: UInt32) throws(ContainerConfigError) {
        let named = [("user", userID), ("group", groupID)] + supplementaryGroups.map { ("group", $0) }
        guard let (kind, id) = named.first(where: { $0.1 >= count }) else { return }
        throw ContainerConfigError(
            "\(kind) \(id) does not exist in the pod's user namespace (hostUsers: false): use 0 to \(count - 1), or raise "
                + "userNamespaces.idsPerPod")
    }

    /// An image's user must be a number: a name is whatever the image's files say at the moment.
    private static func requireNonRoot(
        _ pod: Pod, _ container: Container, _ identity: ContainerIdentity, explicitUser: Int64?, imageUserText: String
    ) throws(ContainerConfigError) {
        let metadata = pod.metadata
        let whose =
            "(pod: \"\(metadata.name ?? "")_\(metadata.namespace ?? "")(\(metadata.uid ?? ""))\", "
            + "container: \(container.name))"
        if let explicitUser {
            if explicitUser == 0 {
                throw ContainerConfigError("container's runAsUser breaks non-root policy \(whose)")
            }
            return
        }
        let name = imageUserText.split(separator: ":", omittingEmptySubsequences: false).first ?? ""
        if !name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            throw ContainerConfigError(
                "container has runAsNonRoot and image has non-numeric user (\(name)), cannot verify user is non-root "
                    + whose)
        }
        if identity.userID == 0 {
            throw ContainerConfigError("container has runAsNonRoot and image will run as root \(whose)")
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
