import CLinux
import MonitorCoreEmbedded

// Started by the agent with: 0, 1, 2 on /dev/null; 3 the launch plan (sealed memfd); 4 the creating agent's socket; 5 the
// listening socket; 6 a pidfd of a process in the PID namespace that the plan joins, if it joins one; 7 the directory of this
// program; the container's run directory as working directory. With the argument "anchor" it holds a cgroup open; with "probe" and
// "unmount" it touches a file system that may hang; under the name "pause" it holds a pod's PID namespace.

/// The command line after the program's name; Embedded Swift has no CommandLine.
func arguments() -> ArraySlice<ArraySlice<UInt8>> {
    let bytes: [UInt8]
    do { bytes = try readFile(CString(terminated: "/proc/self/cmdline")) } catch { return [] }
    // Every word ends in NUL, the last one, too.
    return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).dropFirst()
}

func isWord(_ bytes: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
    word.withUTF8Buffer { bytes.elementsEqual($0) }
}

/// The container is to be killed, not the one who reports it. Its processes get scores of their own, whatever this one's is; without
/// CAP_SYS_RESOURCE the score that was inherited stays.
func protectFromOutOfMemoryKiller() {
    let file = CLinux_open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0)
    if file < 0 { return }
    do { try writeAll(file, decimal(-998)) } catch {}
    close(file)
}

func monitor() -> Never {
    // Nothing inside the container may trace what enters it, and no terminal or service manager ends it.
    _ = CLinux_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    // What the agent, or whoever started it, ignores is no business of the containers, which inherit it.
    CLinux_signal_default_all()
    protectFromOutOfMemoryKiller()
    // Through it the program was found.
    close(7)
    CLinux_signal_ignore(SIGTERM)
    CLinux_signal_ignore(SIGINT)
    CLinux_signal_ignore(SIGHUP)
    let bytes: [UInt8]
    let plan: LaunchPlan
    do { bytes = try readAll(3, limit: 1 << 22) } catch { _exit(2) }
    do { plan = try LaunchPlan(decoding: bytes) } catch { _exit(2) }
    close(3)
    for descriptor: Int32 in [4, 5, 6] { _ = CLinux_fcntl_int(descriptor, F_SETFD, FD_CLOEXEC) }
    var monitor = Monitor(plan: plan, creator: 4, listener: 5, targetPidFD: 6)
    monitor.run()
    _exit(0)
}

let words = arguments()
let argument = words.first ?? []
if strcmp(CLinux_program_name(), "pause") == 0 {
    Pause.hold()
} else if isWord(argument, "anchor") {
    Anchor.hold()
} else if isWord(argument, "monitor") {
    monitor()
} else if isWord(argument, "probe") {
    HangingFileSystem.probe(words.dropFirst())
} else if isWord(argument, "unmount") {
    HangingFileSystem.unmount(words.dropFirst())
} else {
    let usage: StaticString = "swiftlet-monitor is started by swiftlet, not by hand\n"
    _ = usage.withUTF8Buffer { write(2, $0.baseAddress, $0.count) }
    _exit(64)
}
