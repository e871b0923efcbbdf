/// Which part of an object an update or a patch may change; everything else of what the client sends is left aside.
enum ObjectPart: Hashable, Sendable {
    /// All but the status, where that is a subresource.
    case main
    case status
    /// The ephemeral containers of a pod.
    case ephemeralContainers
    /// The decision about a certificate request.
    case approval
    /// The resources of a pod's containers.
    case resources
}
