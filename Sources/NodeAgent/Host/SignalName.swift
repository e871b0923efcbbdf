import Glibc

/// Signals by name, as images and pods write them: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
enum SignalName {
    private static let numbers: [String: Int32] = [
        "ABRT": SIGABRT, "ALRM": SIGALRM, "BUS": SIGBUS, "CHLD": SIGCHLD, "CONT": SIGCONT, "FPE": SIGFPE, "HUP": SIGHUP,
        "ILL": SIGILL, "INT": SIGINT, "IO": SIGIO, "IOT": SIGIOT, "KILL": SIGKILL, "PIPE": SIGPIPE, "POLL": SIGIO,
        "PROF": SIGPROF, "PWR": SIGPWR, "QUIT": SIGQUIT, "SEGV": SIGSEGV, "STKFLT": 16, "STOP": SIGSTOP, "SYS": SIGSYS,
        "TERM": SIGTERM, "TRAP": SIGTRAP, "TSTP": SIGTSTP, "TTIN": SIGTTIN, "TTOU": SIGTTOU, "URG": SIGURG,
        "USR1": SIGUSR1, "USR2": SIGUSR2, "VTALRM": SIGVTALRM, "WINCH": SIGWINCH, "XCPU": SIGXCPU, "XFSZ": SIGXFSZ,
    ]
    /// The kernel's; glibc keeps the first two for itself.
    private static let (realTimeMinimum, realTimeMaximum): (Int32, Int32) = (34, 64)

    /// nil for what is no signal of this machine.
    static func number(of text: String?) -> Int32? {
        guard let text, !text.isEmpty else { return nil }
        if let number = Int32(text) { return (1...realTimeMaximum).contains(number) ? number : nil }
        let name = text.uppercased()
        let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
        if let number = numbers[short] { return number }
        if short == "RTMIN" { return realTimeMinimum }
        if short == "RTMAX" { return realTimeMaximum }
        if short.hasPrefix("RTMIN+"), let offset = Int32(short.dropFirst(6)), (0...30).contains(offset) {
            return realTimeMinimum + offset
        }
        if short.hasPrefix("RTMAX-"), let offset = Int32(short.dropFirst(6)), (0...30).contains(offset) {
            return realTimeMaximum - offset
        }
        return nil
    }
}
