import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent

/// One cgroup in `/metrics/cadvisor`, labelled as dashboards expect: the machine and groups of pods by `id` alone, pods
/// with an empty `container`, containers with all labels. Paths are those below the node's root, so that `/kubepods` is
/// found wherever that is.
struct CadvisorRow {
    enum Kind {
        case machine, group, pod, container
    }

    var kind: Kind
    var labels: ExpositionLabels
    var usage: CgroupUsage
    /// What limits it; nil where nothing does.
    var limits: CgroupResources?
    var startedAt: UInt64?
    var processes: UInt64?
    var rootDisk: DiskUsage?

    static func rows(of report: UsageReport) -> [CadvisorRow] {
        var rows = [
            CadvisorRow(
                kind: .machine, labels: labels(id: "/"), usage: report.node.usage,
                startedAt: UInt64(clamping: report.node.bootedAt) &* 1_000_000_000)
        ]
        for group in report.groups {
            rows.append(
                CadvisorRow(
                    kind: .group, labels: labels(id: "/" + group.cgroupPath), usage: group.usage))
        }
        for pod in report.pods {
            rows.append(
                CadvisorRow(
                    kind: .pod, labels: labels(id: "/" + pod.cgroupPath, namespace: pod.namespace, pod: pod.name),
                    usage: pod.usage, startedAt: pod.startedAt?.nanosecondsSince1970, processes: pod.processCount))
            for entry in pod.containers {
                let config = entry.instance.config
                rows.append(
                    CadvisorRow(
                        kind: .container,
                        labels: labels(
                            container: config.metadata.name, id: "/" + config.cgroupPath, image: config.image,
                            name: entry.instance.id, namespace: pod.namespace, pod: pod.name),
                        usage: entry.usage, limits: config.resources,
                        startedAt: entry.startedAt.nanosecondsSince1970, processes: entry.usage.processCount,
                        rootDisk: entry.disk?.writableLayer))
            }
        }
        return rows
    }

    /// What stands for the image of a pod's sandbox, which has none: queries that leave out rows without an image keep
    /// the pods' network.
    static let sandboxImage = "swiftlet/sandbox"

    static func labels(
        container: String = "", id: String, image: String = "", name: String = "", namespace: String = "",
        pod: String = ""
    ) -> ExpositionLabels {
        ExpositionLabels(
            ("container", container), ("id", id), ("image", image), ("name", name), ("namespace", namespace),
            ("pod", pod))
    }
}
