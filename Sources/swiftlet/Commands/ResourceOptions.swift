import ArgumentParser

/// What of the machine is set aside, and how pods' resources are enforced. Named as kubelet's flags.
struct ResourceOptions: ParsableArguments {
    @Option(help: "Set aside for the system, such as cpu=200m,memory=500Mi,ephemeral-storage=1Gi,pid=1000.")
    var systemReserved: String?

    @Option(help: "Set aside for swiftlet itself, in the same form.")
    var kubeReserved: String?

    @Option(help: "What is held to the node's allocatable resources: pods, or none. (default: pods)")
    var enforceNodeAllocatable: String?

    @Option(help: "Processes of one pod; -1 sets no limit. (default: 4096)")
    var podMaxPids: Int?

    @Option(help: "Enforce CPU limits of containers: true or false. (default: true)")
    var cpuCfsQuota: Bool?

    @Option(help: "Give whole processors of Guaranteed containers to them alone: none or static. (default: none)")
    var cpuManagerPolicy: String?

    @Option(
        name: .customLong("reserved-cpus"),
        help: "Processors that no container gets for itself, such as 0-1; in place of a number of reserved ones.")
    var reservedCPUs: String?

    @Option(help: "Refuse to start on a machine with swap: true or false. (default: false)")
    var failSwapOn: Bool?
}
