/// Whether a pod puts up with the taints of a node.
public enum TaintToleration {
    /// The first taint with one of the effects that the pod does not tolerate. By default the ones that keep new pods
    /// away.
    public static func firstUntolerated(
        _ pod: PodSpec, node: Node, effects: Set<TaintEffect> = [.noSchedule, .noExecute]
    ) -> Taint? {
        (node.spec.taints ?? []).first { taint in
            TaintEffect(rawValue: taint.effect).map(effects.contains) == true && !tolerates(pod, taint)
        }
    }

    /// How many `PreferNoSchedule` taints the pod does not tolerate.
    public static func untoleratedPreferences(_ pod: PodSpec, node: Node) -> Int {
        (node.spec.taints ?? []).count { $0.effect == "PreferNoSchedule" && !tolerates(pod, $0) }
    }

    public static func tolerates(_ pod: PodSpec, _ taint: Taint) -> Bool {
        (pod.tolerations ?? []).contains { matches($0, taint) }
    }

    private static func matches(_ toleration: Toleration, _ taint: Taint) -> Bool {
        if let effect = toleration.effect, !effect.isEmpty, effect != taint.effect { return false }
        let key = toleration.key ?? ""
        if !key.isEmpty, key != taint.key { return false }
        switch toleration.operator ?? "" {
        case "", "Equal":
            // An empty key means all taints only together with Exists.
            return !key.isEmpty && (toleration.value ?? "") == (taint.value ?? "")
        case "Exists": return true
        default: return false
        }
    }
}
