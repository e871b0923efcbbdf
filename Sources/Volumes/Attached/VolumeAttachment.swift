/// What has to be done for a volume before its plugin mounts it, because somebody else does it: no thread waits for them.
enum VolumeAttachment: Hashable, Sendable {
    case driver(DriverVolume)
    case network(NetworkExport)
}
