internal import KubernetesAPI

/// The kinds that are kept and shown, for controllers and nodes that carry them out.
extension ResourceRegistry {
    static let stored: [RegisteredResource] = storedWorkloads + storedNetworking + storedStorage

    private static let storedWorkloads: [RegisteredResource] = [
        RegisteredResource(
            StatefulSet.self, strategy: WorkloadStrategy(), table: .statefulSets, subresources: [scale]),
        RegisteredResource(DaemonSet.self, strategy: WorkloadStrategy(), table: .daemonSets),
        RegisteredResource(ControllerRevision.self, table: .controllerRevisions),
        RegisteredResource(
            ReplicationController.self, strategy: WorkloadStrategy(), table: .replicationControllers,
            selectableFields: [SelectableField("status.replicas", absent: "0")], subresources: [scale]),
        RegisteredResource(PodTemplate.self, strategy: GenerationStrategy(), table: .podTemplates),
        RegisteredResource(CronJob.self, strategy: WorkloadStrategy(), table: .cronJobs),
        RegisteredResource(
            HorizontalPodAutoscaler.self, strategy: WorkloadStrategy(tracksGeneration: false),
            table: .horizontalPodAutoscalers),
        RegisteredResource(
            HorizontalPodAutoscalerV1.self, strategy: WorkloadStrategy(tracksGeneration: false),
            table: .horizontalPodAutoscalers, view: .firstAutoscaler),
        RegisteredResource(
            EventsEvent.self, strategy: PlainStrategy(createsOnUpdate: true), table: .newEvents,
            selectableFields: EventFields.ofTheNewForm, view: .newEvent),
    ]

    private static let storedNetworking: [RegisteredResource] = [
        RegisteredResource(Ingress.self, strategy: WorkloadStrategy(), table: .ingresses),
        RegisteredResource(IngressClass.self, strategy: GenerationStrategy(), table: .ingressClasses),
        RegisteredResource(NetworkPolicy.self, strategy: GenerationStrategy(), table: .networkPolicies),
        RegisteredResource(EndpointSlice.self, strategy: GenerationStrategy(), table: .endpointSlices),
        RegisteredResource(Endpoints.self, table: .endpoints),
        RegisteredResource(RuntimeClass.self, table: .runtimeClasses),
    ]

    private static let storedStorage: [RegisteredResource] = [
        RegisteredResource(CSIDriver.self, table: .csiDrivers),
        RegisteredResource(CSINode.self, table: .csiNodes),
        RegisteredResource(
            VolumeAttachment.self, strategy: WorkloadStrategy(tracksGeneration: false), table: .volumeAttachments),
    ]
}

extension EventFields {
    /// Those of events.k8s.io: what they are about has another name there.
    static let ofTheNewForm: [SelectableField] =
        ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"]
        .map { SelectableField("regarding.\($0)") } + [
            SelectableField("reason"), SelectableField("type"), SelectableField("reportingController"),
        ]
}
