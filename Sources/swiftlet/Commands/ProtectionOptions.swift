import ArgumentParser

/// How a node protects itself from its pods. Names and formats are kubelet's.
struct ProtectionOptions: ParsableArguments {
    @Option(help: "Size at which a container's log goes on in a new file; a negative one is no limit. (default: 10Mi)")
    var containerLogMaxSize: String?

    @Option(help: "Files kept of one container's log, at least 2. (default: 5)")
    var containerLogMaxFiles: Int?

    @Option(
        help: """
            What must be left, or pods are evicted at once, such as memory.available<100Mi,nodefs.available<10%. (default: \
            memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<15%,imagefs.inodesFree<5%)
            """)
    var evictionHard: String?

    @Option(help: "The same, but only once it has lasted: see --eviction-soft-grace-period.")
    var evictionSoft: String?

    @Option(help: "How long a soft threshold may be met before pods are evicted, such as memory.available=1m30s.")
    var evictionSoftGracePeriod: String?

    @Option(help: "How much more than a threshold must be freed, such as memory.available=50Mi.")
    var evictionMinimumReclaim: String?

    @Option(help: "How long a condition of pressure is shown after it was last seen. (default: 5m)")
    var evictionPressureTransitionPeriod: String?

    @Option(help: "The most seconds a pod gets to end at a soft threshold. (default: 0)")
    var evictionMaxPodGracePeriod: Int?

    @Option(help: "Disk use in percent from which on images nobody needs are removed; 100 is never. (default: 85)")
    var imageGcHighThreshold: Int?

    @Option(help: "Disk use in percent down to which they are removed. (default: 80)")
    var imageGcLowThreshold: Int?

    @Option(help: "How long an image stays in any case after it has come. (default: 2m)")
    var minimumImageTtlDuration: String?

    @Option(help: "After how long without use an image is removed; 0s is never. (default: 0s)")
    var maximumImageTtlDuration: String?
}
