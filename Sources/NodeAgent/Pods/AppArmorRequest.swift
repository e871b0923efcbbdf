import KubernetesAPI

/// The AppArmor profile a container asks for.
enum AppArmorRequest: Hashable, Sendable {
    /// Nothing is said: the default one where there is one.
    case unset
    case runtimeDefault
    case unconfined
    case localhost(String)
    /// Of an annotation, or of a field that nobody has validated.
    case invalid(String)

    /// Annotations of Kubernetes before 1.30, by container name after the slash.
    private static let annotationPrefix = "container.apparmor.security.beta.kubernetes.io/"

    /// The container's own profile counts before its annotation, and that before the pod's.
    init(of container: Container, in pod: Pod) {
        if let profile = container.securityContext?.appArmorProfile {
            self.init(profile)
        } else if let annotation = pod.metadata.annotations?[Self.annotationPrefix + container.name],
            !annotation.isEmpty
        {
            self.init(annotation: annotation)
        } else if let profile = pod.spec.securityContext?.appArmorProfile {
            self.init(profile)
        } else {
            self = .unset
        }
    }

    private init(_ profile: AppArmorProfile) {
        switch profile.type {
        case "RuntimeDefault": self = .runtimeDefault
        case "Unconfined": self = .unconfined
        case "Localhost": self.init(localhost: profile.localhostProfile ?? "")
        default: self = .invalid(profile.type)
        }
    }

    private init(annotation: String) {
        switch annotation {
        case "runtime/default": self = .runtimeDefault
        case "unconfined": self = .unconfined
        default:
            if annotation.hasPrefix("localhost/") {
                self.init(localhost: String(annotation.dropFirst("localhost/".count)))
            } else {
                self = .invalid(annotation)
            }
        }
    }

    /// A name is written to the kernel behind a word of ours, in one line.
    private init(localhost name: String) {
        let isLegal = !name.isEmpty && name.utf8.count <= 4095 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        self = isLegal ? .localhost(name) : .invalid(name)
    }

    /// Whether a host without AppArmor cannot run it.
    var needsAppArmor: Bool {
        switch self {
        case .unset, .unconfined: false
        case .runtimeDefault, .localhost, .invalid: true
        }
    }
}
