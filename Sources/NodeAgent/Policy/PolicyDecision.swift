import ContainerImages
import ContainerRuntime
import KubernetesAPI
import Volumes

/// Whether the node's policy allows a pod, or one container of it, what it asks for. Pure.
struct PolicyDecision {
    let pod: Pod
    let grants: PolicyGrants
    let rule: String
    let protected: ProtectedPaths
    /// Where the pod's host paths lead right now, by the path as written; a path that is missing leads nowhere else.
    let resolvedPaths: [String: String]

    private var found: [PolicyRefusal] = []

    init(
        _ pod: Pod, grants: PolicyGrants, rule: String, protected: ProtectedPaths, resolvedPaths: [String: String] = [:]
    ) {
        self.pod = pod
        self.grants = grants
        self.rule = rule
        self.protected = protected
        self.resolvedPaths = resolvedPaths
    }

    /// Everything that is denied, in the pod's order.
    ///
    /// - Parameter name: only this container, besides the pod's own fields; nil for all but the ephemeral ones, which
    ///   come after a pod was taken and are refused alone.
    mutating func refusals(ofContainer name: String? = nil) -> [PolicyRefusal] {
        found = []
        let containers = Self.containers(of: pod, named: name)
        checkPod()
        for (path, container) in containers { check(container, path) }
        checkHostPaths(mountedBy: containers.map(\.container), all: name == nil)
        return found
    }

    private static func containers(of pod: Pod, named name: String?) -> [(path: String, container: Container)] {
        let spec = pod.spec
        var all: [(path: String, container: Container)] = []
        for (index, container) in (spec.initContainers ?? []).enumerated() {
            all.append(("spec.initContainers[\(index)]", container))
        }
        for (index, container) in spec.containers.enumerated() { all.append(("spec.containers[\(index)]", container)) }
        guard let name else { return all }
        for (index, container) in (spec.ephemeralContainers ?? []).enumerated() {
            all.append(("spec.ephemeralContainers[\(index)]", container.container))
        }
        return all.filter { $0.container.name == name }
    }

    private mutating func refuse(
        _ isRefused: Bool, _ field: String, _ value: String, reason: String = "", _ remedy: String
    ) {
        guard isRefused else { return }
        found.append(PolicyRefusal(field: field, value: value, rule: rule, reason: reason, remedy: remedy))
    }

    // MARK: The pod's own fields

    private mutating func checkPod() {
        let spec = pod.spec
        for (value, isAllowed, name) in [
            (spec.hostNetwork, grants.hostNetwork, "hostNetwork"), (spec.hostPID, grants.hostPID, "hostPID"),
            (spec.hostIPC, grants.hostIPC, "hostIPC"),
        ] {
            refuse(value == true && !isAllowed, "spec.\(name)", "true", "\(name): true")
        }
        refuse(
            spec.hostUsers != false && !grants.hostUsers, "spec.hostUsers",
            spec.hostUsers.map { "\($0)" } ?? "(absent)",
            reason: "the pod must have a user namespace of its own: hostUsers: false", "hostUsers: true")
        checkProfiles(
            seccomp: spec.securityContext?.seccompProfile, appArmor: spec.securityContext?.appArmorProfile,
            "spec.securityContext")
        // How AppArmor was asked for before it had a field.
        for (key, value) in (pod.metadata.annotations ?? [:]).sorted(by: { $0.key < $1.key })
        where key.hasPrefix("container.apparmor.security.beta.kubernetes.io/") && value == "unconfined" {
            refuse(
                !grants.appArmorUnconfined, "metadata.annotations[\(key)]", "\"unconfined\"", "appArmorUnconfined: true"
            )
        }
    }

    private mutating func checkProfiles(seccomp: SeccompProfile?, appArmor: AppArmorProfile?, _ path: String) {
        refuse(
            seccomp?.type == "Unconfined" && !grants.seccompUnconfined, path + ".seccompProfile.type", "\"Unconfined\"",
            "seccompUnconfined: true")
        refuse(
            appArmor?.type == "Unconfined" && !grants.appArmorUnconfined, path + ".appArmorProfile.type",
            "\"Unconfined\"", "appArmorUnconfined: true")
    }

    // MARK: Containers

    private mutating func check(_ container: Container, _ path: String) {
        let security = container.securityContext
        let context = path + ".securityContext"
        refuse(
            security?.privileged == true && !grants.privileged, context + ".privileged", "true", "privileged: true")
        checkCapabilities(security?.capabilities?.add ?? [], context + ".capabilities.add")
        let procMount = security?.procMount ?? "Default"
        refuse(
            procMount != "Default" && !grants.procMountUnmasked, context + ".procMount", quoted(procMount),
            "procMountUnmasked: true")
        checkProfiles(seccomp: security?.seccompProfile, appArmor: security?.appArmorProfile, context)
        if !grants.runAsRoot, mayBeRoot(container) {
            let user = security?.runAsUser ?? pod.spec.securityContext?.runAsUser
            refuse(
                true, context + ".runAsUser", user.map { "\($0)" } ?? "(absent)",
                reason: "the container may run as root: give it another user, or runAsNonRoot: true", "runAsRoot: true")
        }
        // With the host's network every port is the host's anyway.
        for (index, port) in (container.ports ?? []).enumerated() where pod.spec.hostNetwork != true {
            refuse(
                (port.hostPort ?? 0) != 0 && !grants.hostPorts, path + ".ports[\(index)].hostPort",
                "\(port.hostPort ?? 0)", "hostPorts: true")
        }
        for (index, mount) in (container.volumeMounts ?? []).enumerated() {
            refuse(
                mount.mountPropagation == "Bidirectional" && !grants.bidirectionalPropagation,
                path + ".volumeMounts[\(index)].mountPropagation", "\"Bidirectional\"",
                "bidirectionalPropagation: true")
        }
        checkImage(container.image ?? "", path + ".image")
    }

    private mutating func checkCapabilities(_ added: [String], _ field: String) {
        for (index, name) in added.enumerated() {
            let bare = PolicyDocument.Allowed.capabilityName(name)
            let isOrdinary = Capability(name: name).map(CapabilitySet.containerDefault.contains) ?? false
            let isGranted = grants.capabilities.contains("ALL") || grants.capabilities.contains(bare)
            refuse(
                !isOrdinary && !isGranted, "\(field)[\(index)]", quoted(name), "capabilities: [\(bare.uppercased())]")
        }
    }

    /// As far as the pod alone tells: an image may name a user, but only `runAsNonRoot` holds it to that.
    private func mayBeRoot(_ container: Container) -> Bool {
        let (own, pods) = (container.securityContext, pod.spec.securityContext)
        if let user = own?.runAsUser ?? pods?.runAsUser { return user == 0 }
        return (own?.runAsNonRoot ?? pods?.runAsNonRoot) != true
    }

    private mutating func checkImage(_ image: String, _ field: String) {
        if ImageReference.isHostRootfs(image) {
            return refuse(!grants.hostRootfs, field, quoted(image), "hostRootfs: true")
        }
        guard let prefixes = grants.images else { return }
        let name = (try? ImageReference(parsing: image))?.description
        let isAllowed = name.map { name in prefixes.contains { Self.begins(name, $0) } } ?? false
        refuse(!isAllowed, field, quoted(name ?? image), "images: [\(name ?? image)]")
    }

    /// `registry/team` begins `registry/team/app` and `registry/team:1`, but not `registry/teamwork`.
    private static func begins(_ name: String, _ prefix: String) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        guard let next = name.dropFirst(prefix.count).first else { return true }
        return prefix.hasSuffix("/") || prefix.hasSuffix(":") || "/:@".contains(next)
    }

    // MARK: Host paths

    private mutating func checkHostPaths(mountedBy containers: [Container], all: Bool) {
        for (index, volume) in (pod.spec.volumes ?? []).enumerated() {
            guard let path = volume.hostPath?.path else { continue }
            let mounts = containers.flatMap { $0.volumeMounts ?? [] }.filter { $0.name == volume.name }
            if mounts.isEmpty, !all { continue }
            let wanted: HostPathAccess = mounts.allSatisfy { $0.readOnly == true } ? .readOnly : .readWrite
            if let refusal = refusal(ofHostPath: path, wanted, "spec.volumes[\(index)].hostPath.path") {
                found.append(refusal)
            }
        }
    }

    private func refusal(ofHostPath path: String, _ wanted: HostPathAccess, _ field: String) -> PolicyRefusal? {
        let resolved = resolvedPaths[path] ?? path
        for place in resolved == path ? [path] : [path, resolved] {
            guard let hostPath = HostPath(place) else {
                return PolicyRefusal(
                    field: field, value: quoted(path), rule: rule, reason: "it must be absolute and without \"..\"",
                    remedy: "")
            }
            let (access, reason) = Self.access(to: hostPath, grants, protected)
            guard access < wanted else { continue }
            let leads = place == path ? "" : "it leads to \(place); "
            let how = access == .none ? "" : "it may only be read: mount it with readOnly: true; "
            let possible = min(wanted, protected.mostByRule(for: hostPath))
            return PolicyRefusal(
                field: field, value: quoted(path), rule: rule, reason: leads + how + reason,
                remedy: possible > access ? "hostPaths: {\(hostPath): \(possible.rawValue)}" : "")
        }
        return nil
    }

    /// What pods under these grants may do with a path, and why it is not more.
    static func access(
        to path: HostPath, _ grants: PolicyGrants, _ protected: ProtectedPaths
    ) -> (access: HostPathAccess, reason: String) {
        let limit = protected.limit(of: path, grants.hostPaths)
        let (granted, entry) = grants.hostPaths.access(to: path)
        if limit.access <= granted, limit.access < .readWrite { return (limit.access, limit.reason) }
        return (granted, entry.map { "\($0): \(granted.rawValue)" } ?? "no entry of hostPaths holds it")
    }

    private func quoted(_ text: String) -> String { "\(JSONValue.string(String(text.prefix(256))))" }
}
