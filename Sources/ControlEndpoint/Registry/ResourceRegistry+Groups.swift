internal import KubernetesAPI

/// The kinds outside the core group.
extension ResourceRegistry {
    static let workloads: [RegisteredResource] = [
        RegisteredResource(
            Deployment.self, strategy: WorkloadStrategy(), table: .deployments, subresources: [scale]),
        RegisteredResource(
            ReplicaSet.self, strategy: WorkloadStrategy(), table: .replicaSets,
            selectableFields: [SelectableField("status.replicas", absent: "0")], subresources: [scale]),
        RegisteredResource(
            Job.self, strategy: JobStrategy(), table: .jobs,
            selectableFields: [SelectableField("status.successful", path: ["status", "succeeded"], absent: "0")]),
    ]

    static let scale = Subresource(
        name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"])

    /// Questions about who somebody is and what they may do.
    static let reviews: [RegisteredResource] = [
        RegisteredResource(TokenReview.self, isReview: true),
        RegisteredResource(SelfSubjectReview.self, isReview: true),
        RegisteredResource(SubjectAccessReview.self, isReview: true),
        RegisteredResource(LocalSubjectAccessReview.self, isReview: true),
        RegisteredResource(SelfSubjectAccessReview.self, isReview: true),
        RegisteredResource(SelfSubjectRulesReview.self, isReview: true),
    ]

    /// Who may do what.
    static let roles: [RegisteredResource] = [
        RegisteredResource(Role.self, strategy: RoleStrategy(), table: .roles),
        RegisteredResource(ClusterRole.self, strategy: RoleStrategy(), table: .roles),
        RegisteredResource(RoleBinding.self, strategy: RoleBindingStrategy(), table: .roleBindings),
        RegisteredResource(ClusterRoleBinding.self, strategy: RoleBindingStrategy(), table: .roleBindings),
    ]
}
