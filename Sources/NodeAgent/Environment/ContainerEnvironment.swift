public import KubernetesAPI
public import Volumes

/// The environment of one start of a container. Its description never shows a value.
///
/// Later sources win: the runtime's own (`PATH`, `HOME`), the image, `TERM` and `HOSTNAME`, services, `envFrom` in
/// order, `env` in order.
public struct ContainerEnvironment: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// What execve(2) takes for arguments and environment together with the default 8 MiB stack.
    public static let maximumBytes = 2 * 1024 * 1024
    /// Where programs are looked up when neither the image nor the pod says.
    public static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// `KEY=value`, each key once, in a stable order.
    public let entries: [String]
    /// The variables the pod defines: what `$(VAR)` means in `command`, `args` and `subPathExpr`. The image's and the
    /// runtime's are not among them.
    public let variables: [String: String]
    /// Keys of `envFrom` objects that cannot be variable names and were left out, as `source/key`, for a warning event.
    public let skippedKeys: [String]

    public var description: String { "\(entries.count) variables" }
    public var customMirror: Mirror { Mirror(self, children: ["count": entries.count]) }

    /// The objects to read before ``build(pod:container:inputs:)``.
    public static func objectNames(for container: Container) -> PodObjectNames {
        var names = PodObjectNames()
        for source in container.envFrom ?? [] {
            if let reference = source.configMapRef { names.configMaps.insert(reference.name) }
            if let reference = source.secretRef { names.secrets.insert(reference.name) }
        }
        for source in (container.env ?? []).compactMap(\.valueFrom) {
            if let reference = source.configMapKeyRef { names.configMaps.insert(reference.name) }
            if let reference = source.secretKeyRef { names.secrets.insert(reference.name) }
        }
        return names
    }

    /// The environment, or why the container cannot start with it. A pure function.
    public static func build(
        pod: Pod, container: Container, inputs: EnvironmentInputs
    ) throws(EnvironmentError) -> ContainerEnvironment {
        var builder = EnvironmentBuilder(pod: pod, container: container, inputs: inputs)
        builder.addServices()
        for source in container.envFrom ?? [] { try builder.add(source) }
        for variable in container.env ?? [] { try builder.add(variable) }
        return builder.finish()
    }

    init(entries: [String], variables: [String: String], skippedKeys: [String]) {
        self.entries = entries
        self.variables = variables
        self.skippedKeys = skippedKeys
    }

    /// `command` or `args` with `$(VAR)` expanded.
    public func expand(_ texts: [String]) throws(EnvironmentError) -> [String] {
        var expanded: [String] = []
        for text in texts {
            do throws(VariableExpansionError) {
                expanded.append(try VariableExpansion.expand(text) { variables[$0] })
            } catch {
                throw EnvironmentError(.invalid, "command or args: \(error)")
            }
        }
        return expanded
    }
}
