public import MonitorCore
import SystemPackage

extension LaunchFailure {
    /// The step that failed, in words, without the reason.
    func subject(in plan: LaunchPlan) -> String {
        let message = message(in: plan)
        return message.hasSuffix(": \(Errno(rawValue: errno))")
            ? String(message.dropLast(": \(Errno(rawValue: errno))".count)) : message
    }

    /// What failed, in words: the monitor sends only the step's index and the error number.
    public func message(in plan: LaunchPlan) -> String {
        let reason = Errno(rawValue: errno)
        if step == LaunchFailure.appearance {
            switch reason {
            case .notPermitted, .noFunction, .permissionDenied:
                return "start a process in the container: \(reason); its seccomp profile must allow clone without "
                    + "namespaces, which an exec needs"
            case .noMemory: return "start a process in the container: \(reason), or the container has ended"
            default: return "start a process in the container: \(reason)"
            }
        }
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
        case .appArmorProfile(let name):
            let detail = reason == .noSuchFileOrDirectory ? "it is not loaded" : "\(reason)"
            return "enter the AppArmor profile \"\(LaunchFailure.string(name))\": \(detail)"
        case .seccompFilter: return "install the seccomp filter: \(reason)"
        case .boundingCapabilities, .capabilities: return "set capabilities: \(reason)"
        case .noNewPrivileges: return "set no_new_privs: \(reason)"
        case .unshare: return "unshare namespaces: \(reason)"
        case .setPropagation: return "make mounts private: \(reason)"
        case .pivotRoot: return "pivot_root: \(reason)"
        case .openUserNamespace(let path):
            return "open user namespace \"\(LaunchFailure.string(path))\": \(reason)"
        case .openOverlayRoot:
            let detail =
                reason == .invalidArgument
                ? "a file system of the image's layers, or the kernel's overlay, cannot map ids, which hostUsers: false needs"
                : "\(reason)"
            return "mount the root file system: \(detail)"
        case .openBind(let bind, _, let mapsIDs):
            let detail =
                mapsIDs && reason == .invalidArgument
                ? "its file system cannot map ids, which hostUsers: false needs: use another volume" : "\(reason)"
            return
                "mount \"\(LaunchFailure.string(bind.source))\" at \"\(LaunchFailure.string(bind.target))\": \(detail)"
        case .ownStandardStreams: return "give away standard output: \(reason)"
        case .becomeInit: return "clone into a new PID namespace: \(reason)"
        case .attachRoot: return "attach the root file system: \(reason)"
        case .attachBind: return "attach \(bindTarget(in: plan)): \(reason)"
        case .bindDevice(let path, _, _): return "bind device \"\(LaunchFailure.string(path))\": \(reason)"
        case .setHostName(let name): return "set host name \"\(LaunchFailure.string(name))\": \(reason)"
        case .openTerminal: return "open a terminal in the container: \(reason)"
        case .keepInput: return "keep standard input: \(reason)"
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

    /// The bind mount whose turn the failed step was: they are attached in the order in which they were opened.
    private func bindTarget(in plan: LaunchPlan) -> String {
        let turn = plan.steps.prefix(Int(step)).filter { $0 == .attachBind }.count
        let targets = plan.steps.compactMap { step -> CString? in
            if case .openBind(let bind, _, _) = step { bind.target } else { nil }
        }
        return turn < targets.count ? "\"\(LaunchFailure.string(targets[turn]))\"" : "a mount"
    }

    private static func string(_ text: CString) -> String { String(decoding: text.text, as: UTF8.self) }
}
