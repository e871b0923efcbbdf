public import MonitorCore
import SystemPackage

extension LaunchFailure {
    /// What failed, in words: the monitor sends only the step's index and the error number.
    public func message(in plan: LaunchPlan) -> String {
        let reason = Errno(rawValue: errno)
        guard step != LaunchFailure.noStep, Int(step) < plan.steps.count else { return "launch: \(reason)" }
        switch plan.steps[Int(step)] {
        case .execute(let candidates, let arguments, _):
            let program = arguments.first.map(LaunchFailure.string) ?? ""
            if reason == .noSuchFileOrDirectory {
                return candidates.count == 1
                    ? "exec \"\(program)\": no such file or directory (or its interpreter is missing)"
                    : "exec \"\(program)\": executable file not found in $PATH"
            }
            return "exec \"\(program)\": \(reason)"
        case .workingDirectory(let path):
            return "chdir to working directory \"\(LaunchFailure.string(path))\": \(reason)"
        case .bindWithoutLinks(let bind) where reason == .tooManySymbolicLinkLevels:
            return "mount \"\(LaunchFailure.string(bind.source))\": a part of the path has become a symbolic link"
        case .bind(let bind), .bindWithoutLinks(let bind):
            return
                "mount \"\(LaunchFailure.string(bind.source))\" at \"\(LaunchFailure.string(bind.target))\": \(reason)"
        case .mount(let type, let target, _, _):
            let detail = reason == .tooManySymbolicLinkLevels ? "must be mounted on an ordinary directory" : "\(reason)"
            return "mount \(LaunchFailure.string(type)) at \"\(LaunchFailure.string(target))\": \(detail)"
        case .mountOverlayRoot: return "mount the root file system: \(reason)"
        case .joinCgroup(let file): return "join cgroup \"\(LaunchFailure.string(file))\": \(reason)"
        case .enterNamespace(let path, _): return "enter namespace \"\(LaunchFailure.string(path))\": \(reason)"
        case .enterContainerNamespaces: return "enter the container's namespaces: \(reason)"
        case .deviceNode(let path, _, _, _), .symbolicLink(_, let path), .makeDirectory(let path), .maskPath(let path),
            .readOnlyPath(let path), .changeOwner(let path, _, _):
            return "prepare \"\(LaunchFailure.string(path))\": \(reason)"
        case .shareSource(let path, _): return "share the mounts of \"\(LaunchFailure.string(path))\": \(reason)"
        case .resourceLimit(let resource, _, _): return "set resource limit \(resource): \(reason)"
        case .userID(let user): return "become user \(user): \(reason)"
        case .groupID(let group): return "become group \(group): \(reason)"
        case .supplementaryGroups: return "set supplementary groups: \(reason)"
        case .seccompFilter: return "install the seccomp filter: \(reason)"
        case .boundingCapabilities, .capabilities: return "set capabilities: \(reason)"
        case .noNewPrivileges: return "set no_new_privs: \(reason)"
        case .unshare: return "unshare namespaces: \(reason)"
        case .setPropagation: return "make mounts private: \(reason)"
        case .pivotRoot: return "pivot_root: \(reason)"
        case .makeRootReadOnly: return "make the root read-only: \(reason)"
        case .outOfMemoryScore(let score): return "set oom_score_adj \(score): \(reason)"
        case .awaitRelease: return "wait for the release: \(reason)"
        case .parentDeathSignal: return "set the parent death signal: \(reason)"
        case .closeDescriptors: return "close descriptors: \(reason)"
        }
    }

    /// The failure is the user's program, not the machine: exec or its working directory.
    public func isUserError(in plan: LaunchPlan) -> Bool {
        guard step != LaunchFailure.noStep, Int(step) < plan.steps.count else { return false }
        switch plan.steps[Int(step)] {
        case .execute, .workingDirectory: return true
        default: return false
        }
    }

    private static func string(_ text: CString) -> String { String(decoding: text.text, as: UTF8.self) }
}
