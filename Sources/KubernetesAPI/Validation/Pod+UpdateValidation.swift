extension Pod: UpdateValidatable {
    /// The annotation of an API object that only shows a pod defined on its node.
    public static let mirrorAnnotation = "kubernetes.io/config.mirror"

    /// Checks what no update, of whatever part, may change: whether the pod is a mirror. A node may make mirrors, and would gain what
    /// a pod's node may have if it could make pods of them.
    public func validateMirrorUpdate(old: Pod) -> [FieldError] {
        let (new, old) = (
            metadata.annotations?[Self.mirrorAnnotation], old.metadata.annotations?[Self.mirrorAnnotation]
        )
        guard new != old else { return [] }
        let path = FieldPath("metadata", "annotations").key(Self.mirrorAnnotation)
        return [.forbidden(path, "may not \(old == nil ? "add" : "remove or update") mirror pod annotation")]
    }

    /// Checks what an update of a running pod's spec may not change.
    ///
    /// Images, `activeDeadlineSeconds` (only down), added tolerations, removed scheduling gates and a negative
    /// `terminationGracePeriodSeconds` set to 1 are allowed; everything else needs a new pod.
    public func validateUpdate(old: Pod) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        let path = FieldPath("spec")
        if spec.containers.count != old.spec.containers.count {
            return errors + [.forbidden(path.child("containers"), "pod updates may not add or remove containers")]
        }
        if (spec.initContainers ?? []).count != (old.spec.initContainers ?? []).count {
            return errors + [
                .forbidden(path.child("initContainers"), "pod updates may not add or remove containers")
            ]
        }
        errors += validateImages(at: path)
        errors += validateDeadline(old: old.spec.activeDeadlineSeconds, at: path.child("activeDeadlineSeconds"))
        errors += Toleration.validateUpdate(
            spec.tolerations ?? [], old: old.spec.tolerations ?? [], at: path.child("tolerations"))
        let addedGates = Set(spec.schedulingGates ?? []).subtracting(old.spec.schedulingGates ?? [])
        for gate in addedGates.map(\.name).sorted() {
            errors.append(
                .forbidden(
                    path.child("schedulingGates"), "only deletion is allowed, but found new scheduling gate '\(gate)'"))
        }
        let changed = changedFields(old: old.spec)
        if !changed.isEmpty {
            // Names only: a difference in values could show a secret from an environment variable.
            errors.append(
                .forbidden(
                    path,
                    "pod updates may not change fields other than `spec.containers[*].image`,"
                        + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
                        + "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
                        + "set to 1 if it was previously negative): changed \(changed.joined(separator: ", "))"))
        }
        return errors
    }

    private func validateImages(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (field, containers) in [("initContainers", spec.initContainers ?? []), ("containers", spec.containers)] {
            for (index, container) in containers.enumerated() where (container.image ?? "").isEmpty {
                errors.append(.required(path.child(field).index(index).child("image")))
            }
        }
        return errors
    }

    private func validateDeadline(old: Int64?, at path: FieldPath) -> [FieldError] {
        guard let new = spec.activeDeadlineSeconds else {
            guard let old else { return [] }
            return [.invalid(path, old, "must not update from a positive integer to nil value")]
        }
        guard let old, new > old else { return FieldChecks.range(new, 1...PodSpec.maximumInt31, at: path) }
        return [.invalid(path, new, "must be less than or equal to previous value")]
    }

    /// The names of the spec's fields that differ once everything an update may change is made equal.
    private func changedFields(old: PodSpec) -> [String] {
        var new = spec
        for index in new.containers.indices { new.containers[index].image = old.containers[index].image }
        let oldInit = old.initContainers ?? []
        for index in (new.initContainers ?? []).indices { new.initContainers?[index].image = oldInit[index].image }
        new.activeDeadlineSeconds = old.activeDeadlineSeconds
        new.tolerations = old.tolerations
        new.schedulingGates = old.schedulingGates
        if (old.terminationGracePeriodSeconds ?? 0) < 0 && new.terminationGracePeriodSeconds == 1 {
            new.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds
        }
        guard new != old else { return [] }
        guard let newFields = try? JSONValueEncoder().encode(new).objectValue,
            let oldFields = try? JSONValueEncoder().encode(old).objectValue
        else { return ["spec"] }
        let names = Set(newFields.keys).union(oldFields.keys).filter { newFields[$0] != oldFields[$0] }
        return names.isEmpty ? ["spec"] : names.map { "spec.\($0)" }.sorted()
    }
}

extension Toleration {
    /// Tolerations may be added, and `tolerationSeconds` of existing ones may change; none may go.
    static func validateUpdate(_ new: [Toleration], old: [Toleration], at path: FieldPath) -> [FieldError] {
        func withoutSeconds(_ toleration: Toleration) -> Toleration {
            var toleration = toleration
            toleration.tolerationSeconds = nil
            return toleration
        }
        let missing = Set(old.map(withoutSeconds)).subtracting(new.map(withoutSeconds))
        guard !missing.isEmpty else { return [] }
        return [.forbidden(path, "existing toleration can not be modified except its tolerationSeconds")]
    }
}
