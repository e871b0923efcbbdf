import CLinux
import Glibc

/// The terminal as a screen that is drawn anew: keys come one by one, and what was there before comes back at the end.
struct Terminal {
    private let saved: termios

    /// Takes the terminal over; nil when standard input or output is none.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else {
            return nil
        }
        saved = settings
        // Interrupts come as keys too, so that the end is always an orderly one.
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) == 0 else { return nil }
        // The default is to ignore it, which would not end the wait for a key.
        signal(SIGWINCH) { _ in }
        Self.write("\u{1B}[?1049h\u{1B}[?25l")
    }

    func restore() {
        Self.write("\u{1B}[?25h\u{1B}[?1049l")
        var settings = saved
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
    }

    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Line over line, without a moment of emptiness between two screens.
    func show(_ lines: [String]) {
        Self.write("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// The next key; nil after the time, and when the size of the terminal changed.
    func key(within duration: Duration) -> Character? {
        var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: Int64(max(.zero, duration) / .milliseconds(1)))
        guard poll(&wanted, 1, milliseconds) > 0 else { return nil }
        var byte: UInt8 = 0
        // The end of input ends the view.
        return read(STDIN_FILENO, &byte, 1) == 1 ? Character(UnicodeScalar(byte)) : "q"
    }

    private static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
