import CLinux
import Glibc
import Streaming
import UnixSignals

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

    /// Tells its size now, and again each time it changes. A signal that ends programs ends this one too, with the terminal as it was.
    func follow(_ news: AsyncStream<TerminalSize>.Continuation) async {
        tell(news)
        for await signal in await UnixSignalsSequence(trapping: .sigwinch, .sigterm, .sighup, .sigint) {
            switch signal {
            case .sigwinch: tell(news)
            case .sighup: end(SIGHUP)
            case .sigint: end(SIGINT)
            default: end(SIGTERM)
            }
        }
    }

    private func end(_ signal: Int32) -> Never {
        restore()
        // As a shell tells of a program that a signal ended.
        exit(128 + signal)
    }

    private func tell(_ news: AsyncStream<TerminalSize>.Continuation) {
        var (rows, columns): (UInt16, UInt16) = (0, 0)
        guard CLinux_terminal_size(STDIN_FILENO, &rows, &columns) == 0 else { return }
        news.yield(TerminalSize(width: columns, height: rows))
    }
}
