import ArgumentParser
import Glibc
import KubernetesAPI
import NodeServer

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Shows what the node, its pods and containers use.",
        discussion:
            "On a terminal it goes on until q is pressed: c orders by CPU, m by memory. Elsewhere it prints one table.")

    @OptionGroup var node: RunOption
    @Option(help: "Seconds between two looks.") var interval = 2.0
    @Option(help: "cpu or memory.") var sort = TopSort.cpu
    @Flag(help: "Print one table and end, on a terminal too.") var once = false

    func validate() throws {
        guard interval >= 0.2, interval <= 3600 else {
            throw ValidationError("--interval \(interval): must be from 0.2 to 3600 seconds")
        }
    }

    func run() async throws {
        let client = LocalClient(run: node.run)
        var state = TopState(order: sort.order)
        state.take(try await reading(client))
        guard !once, let terminal = Terminal() else {
            // What is used in a second is a difference: two readings.
            try await Task.sleep(for: .seconds(min(interval, 1)))
            state.take(try await reading(client))
            return print(TopView.plain(state), terminator: "")
        }
        defer { terminal.restore() }
        var next = ContinuousClock.now
        while true {
            if ContinuousClock.now >= next {
                state.take(try await reading(client))
                next = .now + .seconds(interval)
            }
            let size = terminal.size
            terminal.show(
                TopView(width: size.columns, height: size.rows).lines(
                    state, time: Self.clock(), interval: Self.text(interval)))
            switch terminal.key(within: ContinuousClock.now.duration(to: next)) {
            case "q", "\u{3}", "\u{4}": return
            case "c": state.order = .cpu
            case "m": state.order = .memory
            default: break
            }
        }
    }

    private func reading(_ client: LocalClient) async throws -> TopReading {
        guard let reading = TopReading(try await client.json(.GET, "/v1/usage")) else {
            throw SettingError("the node's answer is not understood: is it of another version?")
        }
        return reading
    }

    private static func text(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s"
    }

    /// The local time of day.
    private static func clock() -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}

/// What `--sort` takes.
enum TopSort: String, ExpressibleByArgument, CaseIterable {
    case cpu, memory

    var order: TopState.Order {
        switch self {
        case .cpu: .cpu
        case .memory: .memory
        }
    }
}
