import CLinux
import Glibc
import Streaming
import Synchronization

/// Where signals are told to whoever waits for descriptors: one end of a pair of sockets; -1 before there is one.
private let signalSocket = Atomic<Int32>(-1)

/// The terminal handed through to another: every key goes there as it is, and what was there before comes back at the end.
struct RawTerminal {
    private let saved: termios

    /// Nil when standard input is no terminal.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        saved = settings
        cfmakeraw(&settings)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0 else { return nil }
    }

    func restore() {
        var settings = saved
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    /// Its size, and again each time it changes. A signal that ends programs ends this one too, with the terminal as it was.
    ///
    /// For the rest of the program's life; nil when there are no descriptors left.
    func watch() -> TerminalWatch? {
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else { return nil }
        signalSocket.store(ends[1], ordering: .sequentiallyConsistent)
        for number in [SIGWINCH, SIGTERM, SIGHUP, SIGINT] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(signalSocket.load(ordering: .sequentiallyConsistent), &byte, 1)
            }
        }
        let signals = ends[0]
        return TerminalWatch(descriptor: signals) {
            var number = UInt8(0)
            while read(signals, &number, 1) == 1 { if number != SIGWINCH { end(Int32(number)) } }
            return size
        }
    }

    private func end(_ signal: Int32) -> Never {
        restore()
        // As a shell tells of a program that a signal ended.
        exit(128 + signal)
    }

    private var size: TerminalSize? {
        var (rows, columns): (UInt16, UInt16) = (0, 0)
        guard CLinux_terminal_size(STDIN_FILENO, &rows, &columns) == 0 else { return nil }
        return TerminalSize(width: columns, height: rows)
    }
}
