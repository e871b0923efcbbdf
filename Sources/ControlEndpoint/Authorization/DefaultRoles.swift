internal import KubernetesAPI

/// The roles every cluster has, under the names everyone knows. Made at the start where they are missing; what an
/// administrator made of them stays.
enum DefaultRoles {
    private static let labels = ["kubernetes.io/bootstrapping": "rbac-defaults"]
    private static let read = ["get", "list", "watch"]
    private static let write = ["create", "delete", "deletecollection", "patch", "update"]

    static var clusterRoles: [ClusterRole] {
        [
            role(
                "cluster-admin",
                [
                    PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]),
                    PolicyRule(verbs: ["*"], nonResourceURLs: ["*"]),
                ]),
            aggregated("admin", from: ["admin"]), aggregated("edit", from: ["edit"], into: ["admin"]),
            aggregated("view", from: ["view"], into: ["edit"]),
            role("system:aggregate-to-admin", adminRules, into: "admin"),
            role("system:aggregate-to-edit", editRules, into: "edit"),
            role("system:aggregate-to-view", viewRules, into: "view"),
            role(
                "system:discovery",
                [
                    PolicyRule(
                        verbs: ["get"],
                        nonResourceURLs: [
                            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
                            "/readyz", "/version", "/version/",
                        ])
                ]),
            role(
                "system:public-info-viewer",
                [
                    PolicyRule(
                        verbs: ["get"], nonResourceURLs: ["/healthz", "/livez", "/readyz", "/version", "/version/"])
                ]),
            role(
                "system:basic-user",
                [
                    PolicyRule(
                        verbs: ["create"], apiGroups: ["authorization.k8s.io"],
                        resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
                    PolicyRule(
                        verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"]),
                ]),
            role(
                "system:auth-delegator",
                [
                    PolicyRule(verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
                    PolicyRule(
                        verbs: ["create"], apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"]),
                ]),
            role(
                "system:service-account-issuer-discovery",
                [
                    PolicyRule(
                        verbs: ["get"],
                        nonResourceURLs: [
                            "/.well-known/openid-configuration", "/.well-known/openid-configuration/",
                            "/openid/v1/jwks", "/openid/v1/jwks/",
                        ])
                ]),
            role(
                "system:monitoring",
                [
                    PolicyRule(
                        verbs: ["get"],
                        nonResourceURLs: [
                            "/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/readyz", "/readyz/*",
                        ]
                    )
                ]),
            role("system:node", nodeRules), certificateRole("nodeclient"), certificateRole("selfnodeclient"),
            certificateRole("selfnodeserver"),
        ]
    }

    static var clusterBindings: [ClusterRoleBinding] {
        let everyone = [Identity.authenticatedGroup]
        return [
            binding("cluster-admin", [Identity.mastersGroup]), binding("system:discovery", everyone),
            binding("system:basic-user", everyone),
            binding("system:public-info-viewer", everyone + ["system:unauthenticated"]),
            binding("system:service-account-issuer-discovery", ["system:serviceaccounts"]),
            binding("system:monitoring", ["system:monitoring"]),
        ]
    }

    private static func role(_ name: String, _ rules: [PolicyRule], into target: String? = nil) -> ClusterRole {
        var labels = labels
        if let target { labels[aggregationLabel(target)] = "true" }
        return ClusterRole(metadata: ObjectMeta(name: name, labels: labels), rules: rules)
    }

    /// Whose requests for a node's certificate are approved without anybody's look.
    private static func certificateRole(_ kind: String) -> ClusterRole {
        role(
            "system:certificates.k8s.io:certificatesigningrequests:\(kind)",
            [rule("certificates.k8s.io", ["certificatesigningrequests/\(kind)"], ["create"])])
    }

    private static func aggregated(_ name: String, from sources: [String], into targets: [String] = []) -> ClusterRole {
        var labels = labels
        for target in targets { labels[aggregationLabel(target)] = "true" }
        let selectors = sources.map { LabelSelector(matchLabels: [aggregationLabel($0): "true"]) }
        return ClusterRole(
            metadata: ObjectMeta(name: name, labels: labels),
            aggregationRule: AggregationRule(clusterRoleSelectors: selectors))
    }

    private static func aggregationLabel(_ target: String) -> String {
        "rbac.authorization.k8s.io/aggregate-to-\(target)"
    }

    private static func binding(_ role: String, _ groups: [String]) -> ClusterRoleBinding {
        ClusterRoleBinding(
            metadata: ObjectMeta(name: role, labels: labels),
            subjects: groups.map { Subject(kind: "Group", apiGroup: RoleReference.group, name: $0) },
            roleRef: RoleReference(apiGroup: RoleReference.group, kind: "ClusterRole", name: role))
    }

    // MARK: Rules

    private static func rule(_ group: String, _ resources: [String], _ verbs: [String]) -> PolicyRule {
        PolicyRule(verbs: verbs, apiGroups: [group], resources: resources)
    }

    private static let workloads = [
        "daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets",
        "statefulsets/scale",
    ]
    private static let workloadStates = [
        "daemonsets/status", "deployments/status", "replicasets/status", "statefulsets/status",
    ]

    /// Everything to be seen in a namespace but its secrets.
    private static var viewRules: [PolicyRule] {
        [
            rule(
                "",
                [
                    "configmaps", "endpoints", "events", "namespaces", "namespaces/status", "persistentvolumeclaims",
                    "pods", "pods/log", "pods/status", "replicationcontrollers", "replicationcontrollers/scale",
                    "replicationcontrollers/status", "serviceaccounts", "services", "services/status",
                ], read),
            rule("apps", workloads + workloadStates + ["controllerrevisions"], read),
            rule("batch", ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], read),
            rule("autoscaling", ["horizontalpodautoscalers", "horizontalpodautoscalers/status"], read),
            rule("networking.k8s.io", ["ingresses", "ingresses/status", "networkpolicies"], read),
            rule("discovery.k8s.io", ["endpointslices"], read), rule("events.k8s.io", ["events"], read),
            rule("coordination.k8s.io", ["leases"], read), rule("metrics.k8s.io", ["pods"], read),
            rule("", ["limitranges", "resourcequotas", "resourcequotas/status"], read),
            rule("policy", ["poddisruptionbudgets", "poddisruptionbudgets/status"], read),
        ]
    }

    private static var editRules: [PolicyRule] {
        [
            rule(
                "", ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], read),
            rule("", ["serviceaccounts"], ["impersonate"]),
            rule(
                "",
                [
                    "configmaps", "events", "persistentvolumeclaims", "pods", "pods/attach", "pods/exec",
                    "pods/portforward", "pods/proxy", "replicationcontrollers", "replicationcontrollers/scale",
                    "secrets", "serviceaccounts", "services", "services/proxy",
                ], write),
            rule("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
            rule("", ["pods/ephemeralcontainers", "pods/resize"], ["patch", "update"]),
            rule("apps", workloads, write), rule("batch", ["cronjobs", "jobs"], write),
            rule("autoscaling", ["horizontalpodautoscalers"], write),
            rule("networking.k8s.io", ["ingresses", "networkpolicies"], write),
            rule("coordination.k8s.io", ["leases"], write), rule("policy", ["poddisruptionbudgets"], write),
        ]
    }

    private static var adminRules: [PolicyRule] {
        [
            rule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
            rule(RoleReference.group, ["rolebindings", "roles"], read + write),
        ]
    }

    /// For whoever binds it; the endpoint's own nodes are known by their certificates and need no binding.
    private static var nodeRules: [PolicyRule] {
        [
            rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
            rule("authorization.k8s.io", ["localsubjectaccessreviews", "subjectaccessreviews"], ["create"]),
            rule("", ["services"], read), rule("", ["nodes"], read + ["create", "patch", "update"]),
            rule("", ["nodes/status"], ["patch", "update"]), rule("", ["events"], ["create", "patch", "update"]),
            rule("", ["pods"], read + ["create", "delete"]), rule("", ["pods/status"], ["patch", "update"]),
            rule("", ["pods/eviction"], ["create"]), rule("", ["configmaps", "secrets"], read),
            rule("", ["persistentvolumeclaims", "persistentvolumes"], ["get"]),
            rule("", ["persistentvolumeclaims/status"], ["patch", "update"]),
            rule("", ["serviceaccounts/token"], ["create"]),
            rule("coordination.k8s.io", ["leases"], ["create", "delete", "get", "patch", "update"]),
            rule("storage.k8s.io", ["csidrivers"], read), rule("storage.k8s.io", ["volumeattachments"], ["get"]),
            rule("storage.k8s.io", ["csinodes"], ["create", "delete", "get", "patch", "update"]),
        ]
    }
}
