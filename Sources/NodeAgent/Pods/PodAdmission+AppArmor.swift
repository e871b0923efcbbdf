import KubernetesAPI

extension PodAdmission {
    /// A pod that names a profile gets it or does not run. One that names none is not concerned.
    static func refusalOfAppArmor(_ pod: Pod, _ state: AppArmorState) -> PodRejection? {
        let spec = pod.spec
        let containers =
            (spec.initContainers ?? []) + spec.containers + (spec.ephemeralContainers ?? []).map(\.container)
        for container in containers {
            do throws(AppArmorProblem) {
                _ = try state.profile(
                    for: AppArmorRequest(of: container, in: pod),
                    isPrivileged: container.securityContext?.privileged == true)
            } catch { return refusal("AppArmor", "Cannot enforce AppArmor: \(error.text)") }
        }
        return nil
    }
}
