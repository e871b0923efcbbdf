/// What has to be done for a volume before its plugin mounts it, because somebody else does it: no thread waits for them.
enum VolumeAttachment: Hashable, Sendable {
    case driver(DriverVolume)
    case network(NetworkExport)
}

/// What somebody else has made for a volume.
struct AttachedVolume: Hashable, Sendable {
    var path: String
    /// The node is to give what is in it to the pod's group.
    var takesGroup = false
}
