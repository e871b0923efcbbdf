import ContainerRuntime
import KubernetesAPI

extension ContainerConfig.Seccomp {
    /// The container's profile, else the pod's, else `RuntimeDefault`. A type that is not known is never no filter.
    init(of container: Container, in spec: PodSpec) throws(ContainerConfigError) {
        let (profile, field) =
            container.securityContext?.seccompProfile.map { ($0, "securityContext.seccompProfile") }
            ?? spec.securityContext?.seccompProfile.map { ($0, "spec.securityContext.seccompProfile") }
            ?? (SeccompProfile(type: "RuntimeDefault"), "")
        switch profile.type {
        case "RuntimeDefault": self = .runtimeDefault
        case "Unconfined": self = .unconfined
        case "Localhost":
            guard let name = profile.localhostProfile, !name.isEmpty else {
                throw ContainerConfigError("\(field).localhostProfile is empty: name a file below <root>/seccomp")
            }
            self = .localhost(name)
        default:
            throw ContainerConfigError(
                "\(field).type \"\(profile.type)\" is unknown: use RuntimeDefault, Localhost or Unconfined")
        }
    }
}
