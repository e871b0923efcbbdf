import KubernetesAPI

extension PodAdmission {
    /// Annotations of Kubernetes before 1.30, by container name after the slash.
    private static let annotationPrefix = "container.apparmor.security.beta.kubernetes.io/"

    /// A pod that names a profile gets it or does not run. One that names none is not concerned.
    ///
    /// - Parameter isEnabled: the host's kernel has AppArmor on.
    static func refusalOfAppArmor(_ pod: Pod, isEnabled: Bool) -> PodRejection? {
        let spec = pod.spec
        let containers =
            (spec.initContainers ?? []) + spec.containers + (spec.ephemeralContainers ?? []).map(\.container)
        guard containers.contains(where: { namesProfile($0, of: pod) }) else { return nil }
        let why =
            isEnabled
            ? "this version of swiftlet sets no AppArmor profiles" : "AppArmor is not enabled on the host"
        return refusal("AppArmor", "Cannot enforce AppArmor: \(why)")
    }

    /// The container's own profile counts before its annotation, and that before the pod's.
    private static func namesProfile(_ container: Container, of pod: Pod) -> Bool {
        if let profile = container.securityContext?.appArmorProfile { return profile.type != "Unconfined" }
        if let annotation = pod.metadata.annotations?[annotationPrefix + container.name], !annotation.isEmpty {
            return annotation != "unconfined"
        }
        return pod.spec.securityContext?.appArmorProfile.map { $0.type != "Unconfined" } ?? false
    }
}
