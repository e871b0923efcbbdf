import ArgumentParser
import ContainerImages
import Glibc
import KubernetesAPI
import NIOCore

extension ImageCommand {
    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pull",
            abstract: "Pulls an image from its registry, with the node's own credentials and mirrors.")
        @OptionGroup var node: RunOption
        @Argument(help: "Such as docker.io/library/busybox:1.36, or with a digest.") var reference: String
        @Flag(name: .shortAndLong, help: "Only the result.") var quiet = false

        func run() async throws {
            var view = PullView(isTerminal: isatty(STDOUT_FILENO) == 1, isQuiet: quiet)
            var pending: [UInt8] = []
            try await LocalClient(run: node.run).stream(.POST, "/v1/images/pull", [("reference", reference)]) { piece in
                pending.append(contentsOf: piece.readableBytesView)
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = Array(pending[..<end])
                    pending.removeSubrange(...end)
                    try show(try JSONValue(parsing: line), &view)
                }
            }
        }

        private func show(_ value: JSONValue, _ view: inout PullView) throws {
            if let progress = value["progress"].flatMap({ PullProgress($0) }) { return view.show(progress) }
            if let error = value["error"]?.stringValue { throw SettingError(error) }
            guard let image = value["image"] else { return }
            let seconds = Double(value["milliseconds"]?.intValue ?? 0) / 1000
            let size = PullDisplay.bytes(Double(image["sizeBytes"]?.intValue ?? 0))
            let verb = value["wasCurrent"]?.boolValue == true ? "up to date" : "pulled"
            print("\(verb) \(reference) \(image["id"]?.stringValue ?? ""), \(size), in \(seconds) s")
        }
    }
}

/// Draws a pull on standard output: over itself on a terminal.
private struct PullView {
    let isTerminal: Bool
    let isQuiet: Bool
    private var display = PullDisplay()
    private var drawn = 0
    private let start = ContinuousClock.now

    init(isTerminal: Bool, isQuiet: Bool) {
        self.isTerminal = isTerminal
        self.isQuiet = isQuiet
    }

    mutating func show(_ progress: PullProgress) {
        guard !isQuiet else { return }
        let now = ContinuousClock.now - start
        guard isTerminal else {
            for line in display.lines(progress, now: now) { print(line) }
            fflush(nil)
            return
        }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let columns = isKnown ? Int(size.ws_col) : 80
        let lines = display.bars(progress, now: now, columns: columns)
        if drawn > 0 { print("\u{1B}[\(drawn)A", terminator: "") }
        for line in lines { print("\u{1B}[2K\(line.prefix(columns))") }
        drawn = lines.count
        fflush(nil)
    }
}
