internal import KubernetesAPI

/// The kinds that bound others, and requests for certificates.
extension ResourceRegistry {
    static let policies: [RegisteredResource] = [
        RegisteredResource(LimitRange.self, table: .limitRanges),
        RegisteredResource(ResourceQuota.self, strategy: ResourceQuotaStrategy(), table: .resourceQuotas),
        RegisteredResource(PriorityClass.self, strategy: PriorityClassStrategy(), table: .priorityClasses),
        RegisteredResource(
            PodDisruptionBudget.self, strategy: DisruptionBudgetStrategy(), table: .disruptionBudgets),
        RegisteredResource(
            CertificateSigningRequest.self, strategy: CertificateRequestStrategy(), table: .certificateRequests,
            selectableFields: [SelectableField("spec.signerName")],
            subresources: [
                Subresource(name: "approval", kind: "CertificateSigningRequest", verbs: ["get", "patch", "update"])
            ]),
    ]
}
