import KubernetesAPI

/// What the node's policy denies a pod or one of its containers.
public struct PolicyRefusal: Error, Hashable, Sendable {
    /// Where the pod asks for it: `spec.containers[0].securityContext.privileged`.
    public var field: String
    /// What it asks for, as in JSON.
    public var value: String
    /// The rule that decided.
    public var rule: String
    /// Why, where the rule alone does not say it; empty otherwise.
    public var reason = ""
    /// What a rule has to allow, as in the policy file; empty when no rule can.
    public var remedy: String

    /// One line: field, value, rule and what to do.
    public func message(namespace: String, policyFile: String) -> String {
        var text = "node policy: \(field): \(value) is not allowed in namespace \"\(namespace)\" by \(rule)"
        if !reason.isEmpty { text += " (\(reason))" }
        text += "; remove it from the pod"
        if !remedy.isEmpty {
            text += ", or have the node's administrator add \"allow: {\(remedy)}\" to a rule in \(policyFile)"
        }
        return text
    }
}
