/// A pull in words: a bar for each layer on a terminal, a line for each change elsewhere. Knows no terminal and no clock.
public struct PullDisplay: Sendable {
    /// What one layer was when it was looked at before.
    private struct Sample {
        var bytes: Int64
        var at: Duration
        /// Smoothed, in bytes per second.
        var rate: Double
        /// When bytes came last.
        var movedAt: Duration
    }

    private var samples: [String: Sample] = [:]
    private var told: [String: PullProgress.Layer.Stage] = [:]
    private var toldAt: [String: Duration] = [:]

    /// Without a byte for so long, a layer is said to have stalled.
    static let stall = Duration.seconds(10)
    /// How often a line tells how far a long layer is.
    static let lineInterval = Duration.seconds(5)

    public init() {}

    /// One line per layer.
    ///
    /// - Parameters:
    ///   - now: any monotonic time.
    ///   - columns: of the terminal; at least 40 are used.
    public mutating func bars(_ progress: PullProgress, now: Duration, columns: Int) -> [String] {
        progress.layers.map { layer in
            look(at: layer, now: now)
            let name = Self.shortName(layer.digest)
            let state = state(layer, now: now)
            let width = max(8, min(30, columns - 62))
            return "\(name) \(Self.bar(layer, width: width)) \(state)"
        }
    }

    /// What has changed since the last look.
    public mutating func lines(_ progress: PullProgress, now: Duration) -> [String] {
        var lines: [String] = []
        for layer in progress.layers {
            look(at: layer, now: now)
            let isNew = told[layer.digest] != layer.stage
            let isDue =
                layer.stage == .downloading && now - (toldAt[layer.digest] ?? .zero) >= Self.lineInterval
            guard isNew && layer.stage != .waiting || isDue else { continue }
            told[layer.digest] = layer.stage
            toldAt[layer.digest] = now
            lines.append("\(Self.shortName(layer.digest)) \(state(layer, now: now))")
        }
        return lines
    }

    private mutating func look(at layer: PullProgress.Layer, now: Duration) {
        guard var sample = samples[layer.digest] else {
            samples[layer.digest] = Sample(bytes: layer.receivedBytes, at: now, rate: 0, movedAt: now)
            return
        }
        let seconds = Self.seconds(now - sample.at)
        guard seconds > 0.05 else { return }
        let current = Double(layer.receivedBytes - sample.bytes) / seconds
        sample.rate = sample.rate == 0 ? current : sample.rate * 0.7 + current * 0.3
        if layer.receivedBytes != sample.bytes { sample.movedAt = now }
        sample.bytes = layer.receivedBytes
        sample.at = now
        samples[layer.digest] = sample
    }

    private func state(_ layer: PullProgress.Layer, now: Duration) -> String {
        let size = Self.bytes(Double(layer.totalBytes))
        switch layer.stage {
        case .waiting: return "waiting, \(size)"
        case .present: return "present, \(size)"
        case .storing: return "storing, \(size)"
        case .done: return "done, \(size)"
        case .downloading: break
        }
        var text = "\(Self.bytes(Double(layer.receivedBytes))) of \(size)"
        guard let sample = samples[layer.digest] else { return text }
        if layer.receivedBytes < layer.totalBytes, now - sample.movedAt >= Self.stall {
            return text + ", stalled for \(Int(Self.seconds(now - sample.movedAt))) s"
        }
        if sample.rate >= 1 {
            text += ", \(Self.bytes(sample.rate))/s"
            let left = Double(layer.totalBytes - layer.receivedBytes) / sample.rate
            if left >= 1, left < 86_400 { text += ", \(Int(left)) s left" }
        }
        return text
    }

    private static func bar(_ layer: PullProgress.Layer, width: Int) -> String {
        let isWhole = layer.stage != .waiting && layer.stage != .downloading
        let share = isWhole ? 1 : Double(layer.receivedBytes) / Double(max(1, layer.totalBytes))
        let filled = Int((min(1, max(0, share)) * Double(width)).rounded(.down))
        return "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled) + "]"
    }

    private static func shortName(_ digest: String) -> String {
        String((digest.hasPrefix("sha256:") ? digest.dropFirst(7) : digest[...]).prefix(12))
    }

    private static func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

    /// `12.3 MiB`.
    public static func bytes(_ count: Double) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var (value, unit) = (max(0, count), 0)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        guard unit > 0 else { return "\(Int(value)) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
