import ContainerRuntime
import Glibc
import HTTPTypes
import Hummingbird
import KubernetesAPI
import LinuxKernel
import NIOCore
import NodeAgent

/// What the node uses, in the forms that scrapers know.
enum UsageRoutes {
    static func add(to router: Router<NodeRequestContext>, _ state: NodeServerState) {
        router.get("/metrics") { _, _ in metrics(KubeletMetrics.export(await facts(state))) }
        router.get("/metrics/probes") { _, _ in metrics(KubeletMetrics.export(await state.agent.probes.metrics())) }
        router.get("/metrics/resource") { _, _ in
            metrics(ResourceMetrics.export(await state.usage.sample(.cpuAndMemory).report))
        }
        router.get("/metrics/cadvisor") { _, _ in
            metrics(
                CadvisorMetrics.export(
                    await state.usage.sample().report, version: state.configuration.version, machine: state.machine,
                    deviceNames: state.deviceNames))
        }
        router.get("/stats/summary") { request, _ in
            let isBrief = request.uri.queryDictionary["only_cpu_and_memory"] == "true"
            // Who asks for so little wants to know what is used now: rates too, even when nobody has asked before.
            let sample = isBrief ? await state.usage.ratedSample(.cpuAndMemory) : await state.usage.sample()
            return HTTPResponses.json(
                StatsSummary.build(sample, nodeName: state.configuration.nodeName, onlyCPUAndMemory: isBrief))
        }
    }

    private static func metrics(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: ExpositionWriter.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func facts(_ state: NodeServerState) async -> KubeletMetrics.Facts {
        let process = await KernelThreadPool.shared.run {
            ProcessUsage.read(bootedAt: (try? ProcFS.bootTime()) ?? 0)
        }
        return KubeletMetrics.Facts(
            nodeName: state.configuration.nodeName, version: state.configuration.version,
            architecture: state.machine.architecture, pods: await state.agent.pods(),
            instances: await state.host.runtime.containers(), counts: state.counters.current,
            durations: state.agent.durations.snapshot, evictions: await state.agent.evictionCounts(),
            preemptions: await state.agent.preemptionCounts(),
            claims: await state.usage.claims(), requests: state.requests.snapshot(), process: process,
            maximumDescriptors: descriptorLimit, receivedImageBytes: state.host.receivedImageBytes)
    }

    private static var descriptorLimit: UInt64? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return UInt64(limit.rlim_cur)
    }
}
