@testable import MonitorCore

/// Values with every field and every case set, for round trips and attacks on their bytes.
enum Samples {
    static let failure = LaunchFailure(step: 3, errno: 13)

    static let record = ExitRecord(
        released: true, failure: failure, exitCode: 7, signal: 9, outOfMemory: true, startedAt: -1, finishedAt: .max)

    static let requests: [MonitorRequest] = [
        .release, .signal(15), .execute(identifier: .max), .signalExecution(identifier: 2, signal: -1), .reopenLog,
        .attach, .closeInput, .executeForCaller(identifier: 7),
    ]

    static let events: [MonitorEvent] = [
        .launching, .created(pid: 42, startTime: .max), .running(pid: 42, startTime: 1, startedAt: 2), .exited(record),
        .executionStarted(identifier: 5), .executionFailed(identifier: 5, failure),
        .executionExited(identifier: 5, exitCode: 1, signal: 0),
    ]

    static let steps: [LaunchStep] = [
        .joinCgroup(tasksFile: CString(terminated: "/c/tasks")),
        .enterNamespace(path: CString(terminated: "/ns/net"), type: 0x4000_0000),
        .enterContainerNamespaces(types: 7), .unshare(flags: 8), .setPropagation(flags: 9),
        .mountOverlayRoot(
            lower: [CString(terminated: "/a"), CString(terminated: "/b")], upper: CString(terminated: "/u"),
            work: CString(terminated: "/w"), target: CString(terminated: "/t")),
        .mount(
            type: CString(terminated: "tmpfs"), target: CString(terminated: "/dev"), attributes: 2,
            options: [
                MountOption(key: CString(terminated: "size"), value: CString(terminated: "1")),
                MountOption(key: CString(terminated: "newinstance")),
            ]),
        .bind(
            BindMount(
                source: CString(terminated: "/h"), target: CString(terminated: "/c"), kind: .file, attributes: 1,
                propagation: 2)),
        .bindWithoutLinks(
            BindMount(
                source: CString(terminated: "/h"), target: CString(terminated: "/c"), kind: .directory, attributes: 0,
                propagation: 1)),
        .bind(
            BindMount(
                source: CString(terminated: "/h"), target: CString(terminated: "/d"), kind: .directory, attributes: 0,
                propagation: 2, topAttributes: 1)),
        .bindWithoutLinks(
            BindMount(
                source: CString(terminated: "/h"), target: CString(terminated: "/e"), kind: .directory, attributes: 0,
                propagation: 2, topAttributes: 1)),
        .deviceNode(path: CString(terminated: "/dev/null"), mode: 3, major: 1, minor: 3),
        .symbolicLink(target: CString(terminated: "x"), path: CString(terminated: "/y")),
        .makeDirectory(CString(terminated: "/work")), .maskPath(CString(terminated: "/proc/kcore")),
        .readOnlyPath(CString(terminated: "/proc/sys")),
        .shareSource(CString(terminated: "/h"), forbidsLinks: true),
        .changeOwner(path: CString(terminated: "/dev/x"), user: 1, group: .max), .pivotRoot,
        .makeRootReadOnly, .resourceLimit(resource: 7, soft: 1, hard: .max), .outOfMemoryScore(-997), .awaitRelease,
        .boundingCapabilities(1), .supplementaryGroups([1, .max]), .groupID(1), .userID(2),
        .capabilities(effective: 1, permitted: 2, inheritable: 3), .noNewPrivileges, .seccompFilter([0, 1, 255]),
        .workingDirectory(CString(terminated: "/")), .parentDeathSignal, .closeDescriptors,
        .execute(
            candidates: [CString(terminated: "/bin/sh")],
            arguments: [CString(terminated: "sh"), CString(terminated: "")],
            environment: [CString(terminated: "A=\u{e4}")]),
        .openUserNamespace(path: CString(terminated: "/ns/user")),
        .openOverlayRoot(
            lower: [CString(terminated: "/a"), CString(terminated: "/b")], upper: CString(terminated: "/u"),
            work: CString(terminated: "/w"), target: CString(terminated: "/t"), mapsIDs: true),
        .openBind(
            BindMount(
                source: CString(terminated: "/h"), target: CString(terminated: "/c"), kind: .directory, attributes: 1,
                propagation: 2), forbidsLinks: false, mapsIDs: true),
        .openBind(
            BindMount(
                source: CString(terminated: "/h"), target: CString(terminated: "/c"), kind: .file, attributes: 1,
                propagation: 2, topAttributes: 1), forbidsLinks: true, mapsIDs: false),
        .ownStandardStreams(userID: 66536), .becomeInit, .attachRoot(target: CString(terminated: "/t")), .attachBind,
        .bindDevice(path: CString(terminated: "/dev/zero"), major: 1, minor: 5),
        .setHostName(CString(terminated: "pod")), .appArmorProfile(CString(terminated: "a profile")),
        .openTerminal, .keepInput,
    ]

    static let plan = LaunchPlan(
        cloneFlags: 0x2002_0000, cgroupDirectory: CString(terminated: "/cg"), logFile: CString(terminated: "/log"),
        outOfMemoryEventsFile: CString(terminated: "/e"), outOfMemoryEventControlFile: CString(terminated: "/c"),
        steps: steps)
}
