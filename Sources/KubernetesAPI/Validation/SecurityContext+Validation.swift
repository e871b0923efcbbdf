extension SecurityContext {
    func validate(at path: FieldPath, hostUsers: Bool) -> [FieldError] {
        let ids = 0...PodSpec.maximumInt31
        var errors = FieldChecks.range(runAsUser, ids, at: path.child("runAsUser"))
        errors += FieldChecks.range(runAsGroup, ids, at: path.child("runAsGroup"))
        errors += FieldChecks.vocabulary(procMount, ["Default", "Unmasked"], at: path.child("procMount"))
        if procMount == "Unmasked" && hostUsers {
            errors.append(
                .invalid(
                    path.child("procMount"), "Unmasked", "`hostUsers` must be false to use `Unmasked`"))
        }
        errors += seccompProfile?.validate(at: path.child("seccompProfile")) ?? []
        errors += appArmorProfile?.validate(at: path.child("appArmorProfile")) ?? []
        guard allowPrivilegeEscalation == false else { return errors }
        if privileged == true {
            errors.append(
                .invalid(
                    path, .bool(false), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
        }
        if (capabilities?.add ?? []).contains(where: { $0 == "CAP_SYS_ADMIN" || $0 == "SYS_ADMIN" }) {
            errors.append(
                .invalid(
                    path, .bool(false),
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
        }
        return errors
    }
}

extension PodSecurityContext {
    func validate(at path: FieldPath) -> [FieldError] {
        let ids = 0...PodSpec.maximumInt31
        var errors = FieldChecks.range(runAsUser, ids, at: path.child("runAsUser"))
        errors += FieldChecks.range(runAsGroup, ids, at: path.child("runAsGroup"))
        errors += FieldChecks.range(fsGroup, ids, at: path.child("fsGroup"))
        for (index, group) in (supplementalGroups ?? []).enumerated() {
            errors += FieldChecks.range(group, ids, at: path.child("supplementalGroups").index(index))
        }
        errors += FieldChecks.vocabulary(
            supplementalGroupsPolicy, ["Merge", "Strict"], at: path.child("supplementalGroupsPolicy"))
        errors += FieldChecks.vocabulary(
            fsGroupChangePolicy, ["Always", "OnRootMismatch"], at: path.child("fsGroupChangePolicy"))
        errors += FieldChecks.vocabulary(
            seLinuxChangePolicy, ["MountOption", "Recursive"], at: path.child("seLinuxChangePolicy"))
        errors += seccompProfile?.validate(at: path.child("seccompProfile")) ?? []
        errors += appArmorProfile?.validate(at: path.child("appArmorProfile")) ?? []
        errors += Sysctl.validate(sysctls ?? [], at: path.child("sysctls"))
        return errors
    }
}

extension SeccompProfile {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors = type.isEmpty ? [FieldError.required(path.child("type"))] : []
        errors += FieldChecks.vocabulary(type, ["Localhost", "RuntimeDefault", "Unconfined"], at: path.child("type"))
        let filePath = path.child("localhostProfile")
        if type == "Localhost" {
            guard let localhostProfile, !localhostProfile.isEmpty else {
                return errors + [.required(filePath, "must be set when seccomp type is Localhost")]
            }
            errors += FieldChecks.descendingPath(localhostProfile, at: filePath)
        } else if let localhostProfile {
            errors.append(.invalid(filePath, localhostProfile, "can only be set when seccomp type is Localhost"))
        }
        return errors
    }
}

extension AppArmorProfile {
    /// The longest profile name the kernel takes, in bytes.
    private static let localhostProfileMaximum = 4095

    func validate(at path: FieldPath) -> [FieldError] {
        var errors = type.isEmpty ? [FieldError.required(path.child("type"))] : []
        errors += FieldChecks.vocabulary(type, ["Localhost", "RuntimeDefault", "Unconfined"], at: path.child("type"))
        let namePath = path.child("localhostProfile")
        if type == "Localhost" {
            guard let localhostProfile, !localhostProfile.isEmpty else {
                return errors + [.required(namePath, "must be set when AppArmor type is Localhost")]
            }
            if localhostProfile.utf8.count > Self.localhostProfileMaximum {
                errors.append(.tooLong(namePath, maximumBytes: Self.localhostProfileMaximum))
            }
            errors += FieldChecks.withoutNUL(localhostProfile, at: namePath)
        } else if let localhostProfile {
            errors.append(.invalid(namePath, localhostProfile, "can only be set when AppArmor type is Localhost"))
        }
        return errors
    }
}

extension Sysctl {
    private static let nameMaximum = 253

    static func validate(_ sysctls: [Sysctl], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, sysctl) in sysctls.enumerated() {
            let path = path.index(index)
            if sysctl.name.isEmpty {
                errors.append(.required(path.child("name")))
            } else if !isName(sysctl.name) {
                errors.append(
                    .invalid(
                        path.child("name"), sysctl.name,
                        "must have at most \(nameMaximum) characters and consist of parts of a-z, 0-9, '-' and '_' "
                            + "joined by '.' or '/'"))
            } else if !names.insert(sysctl.name).inserted {
                errors.append(.duplicate(path.child("name"), sysctl.name))
            }
            errors += FieldChecks.withoutNUL(sysctl.value, at: path.child("value"))
        }
        return errors
    }

    /// Dots and slashes separate parts that start and end with a letter or digit: no part can be `..`.
    private static func isName(_ name: String) -> Bool {
        guard name.utf8.count <= nameMaximum else { return false }
        func isOuter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let parts = name.utf8.split(omittingEmptySubsequences: false) {
            $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/")
        }
        return parts.allSatisfy { part in
            guard let first = part.first, let last = part.last else { return false }
            return isOuter(first) && isOuter(last)
                && part.allSatisfy { isOuter($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
    }
}
