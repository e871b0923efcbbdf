extension Pod {
    /// Checks an update through the subresource `resize`: amounts of CPU and memory of containers may change, and none may
    /// be taken back.
    public func validateResizeUpdate(old: Pod) -> [FieldError] {
        let path = FieldPath("spec")
        if old.metadata.annotations?[Pod.mirrorAnnotation] != nil {
            return [.forbidden(path, "static pods do not support resize")]
        }
        var errors: [FieldError] = []
        let lists = [
            ("containers", spec.containers, old.spec.containers),
            ("initContainers", spec.initContainers ?? [], old.spec.initContainers ?? []),
        ]
        for (field, new, before) in lists {
            guard new.map(\.name) == before.map(\.name) else {
                let what = new.count == before.count ? "renamed or reordered" : "added or removed"
                errors.append(.forbidden(path.child(field), "containers may not be \(what) on resize"))
                continue
            }
            for (index, (container, was)) in zip(new, before).enumerated() {
                errors += (container.resources ?? ResourceRequirements()).validateResize(
                    of: was.resources ?? ResourceRequirements(),
                    at: path.child(field).index(index).child("resources"))
            }
        }
        if errors.isEmpty, spec.qosClass != old.spec.qosClass {
            errors.append(
                .invalid(path, spec.qosClass.rawValue, "Pod QOS Class may not change as a result of resizing"))
        }
        return errors
    }
}

extension ResourceRequirements {
    private static let resizable: Set<String> = ["cpu", "memory"]

    fileprivate func validateResize(of old: ResourceRequirements, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (field, new, before) in [("limits", limits, old.limits), ("requests", requests, old.requests)] {
            let (new, before) = (new ?? [:], before ?? [:])
            for name in Set(new.keys).union(before.keys).sorted() where new[name] != before[name] {
                if !Self.resizable.contains(name) {
                    errors.append(.forbidden(path.child(field).key(name), "only cpu and memory resources are mutable"))
                } else if new[name] == nil {
                    errors.append(.forbidden(path.child(field).key(name), "resource \(field) cannot be removed"))
                }
            }
        }
        if claims ?? [] != old.claims ?? [] {
            errors.append(.forbidden(path.child("claims"), "only cpu and memory resources are mutable"))
        }
        return errors
    }
}
