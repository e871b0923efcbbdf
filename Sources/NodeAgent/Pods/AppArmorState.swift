import ContainerRuntime
import KubernetesAPI

/// What of AppArmor there is for one pod.
struct AppArmorState: Hashable {
    var host = AppArmorHost()
    /// Names of loaded profiles.
    var loaded: Set<String> = []

    init(host: AppArmorHost = AppArmorHost(), loaded: Set<String> = []) {
        self.host = host
        self.loaded = loaded
    }

    /// Asks the kernel for its profiles if the pod names one.
    init(host: AppArmorHost, of pod: Pod) {
        let spec = pod.spec
        let containers =
            (spec.initContainers ?? []) + spec.containers + (spec.ephemeralContainers ?? []).map(\.container)
        let isNamed = containers.contains { container in
            if case .localhost = AppArmorRequest(of: container, in: pod) { true } else { false }
        }
        self.init(host: host, loaded: host.isEnabled && isNamed ? AppArmorHost.loadedProfiles() : [])
    }

    /// - Parameter isPrivileged: such a container has only a profile that is named for it.
    /// - Returns: nil for none.
    func profile(for request: AppArmorRequest, isPrivileged: Bool) throws(AppArmorProblem) -> String? {
        if request.needsAppArmor, !host.isEnabled { throw AppArmorProblem("AppArmor is not enabled on the host") }
        switch request {
        case .unconfined: return nil
        case .unset:
            let isThere = host.isEnabled && host.defaultProfileProblem == nil
            return isThere && !isPrivileged ? AppArmorDefaultProfile.name : nil
        case .runtimeDefault:
            if isPrivileged { return nil }
            if let problem = host.defaultProfileProblem {
                throw AppArmorProblem("the default profile is not loaded: \(problem)")
            }
            return AppArmorDefaultProfile.name
        case .localhost(let name):
            guard loaded.contains(name) else { throw AppArmorProblem("profile \"\(name)\" is not loaded") }
            return name
        case .invalid(let name): throw AppArmorProblem("invalid AppArmor profile name: \"\(name)\"")
        }
    }
}

/// Why a container cannot have the profile it asks for.
struct AppArmorProblem: Error, Hashable {
    let text: String

    init(_ text: String) { self.text = text }
}
