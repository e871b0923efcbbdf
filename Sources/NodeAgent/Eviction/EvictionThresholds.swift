import KubernetesAPI

/// Reads thresholds as the flags and the configuration file give them. Pure.
public struct EvictionThresholds: Sendable {
    /// A setting that makes no sense, in one line that names it.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Signals by name, with values as text.
    public typealias Entries = [(name: String, value: String)]

    public var hard: Entries?
    public var soft: Entries
    public var softGracePeriods: Entries
    public var minimumReclaims: Entries
    /// Whether signals that `hard` does not name keep their defaults.
    public var keepsDefaults: Bool

    public init(
        hard: Entries? = nil, soft: Entries = [], softGracePeriods: Entries = [], minimumReclaims: Entries = [],
        keepsDefaults: Bool = false
    ) {
        self.hard = hard
        self.soft = soft
        self.softGracePeriods = softGracePeriods
        self.minimumReclaims = minimumReclaims
        self.keepsDefaults = keepsDefaults
    }

    /// Splits `memory.available<100Mi,nodefs.available<10%`, or, with `=`, `memory.available=1m30s`.
    public static func entries(_ text: String, separator: Character, flag: String) throws(Invalid) -> Entries {
        var entries: Entries = []
        for item in text.split(separator: ",") {
            let item = item.drop { $0 == " " }
            guard let position = item.firstIndex(of: separator), position > item.startIndex,
                item.index(after: position) < item.endIndex
            else {
                throw Invalid(
                    description: "\(flag) \(item): expected a signal, \"\(separator)\" and a value, such as "
                        + "memory.available\(separator)\(separator == "<" ? "100Mi" : "1m30s")")
            }
            entries.append((String(item[..<position]), String(item[item.index(after: position)...])))
        }
        return entries
    }

    /// All of them, the minimum reclaims put to their signals.
    public func thresholds() throws(Invalid) -> [EvictionThreshold] {
        var found: [EvictionThreshold] = []
        if let hard {
            found = try parse(hard, "--eviction-hard") { _ throws(Invalid) in .zero }
            let named = Set(hard.map(\.name))
            if keepsDefaults {
                found += EvictionConfiguration.defaultHard.filter { !named.contains($0.signal.rawValue) }
            }
        } else {
            found = EvictionConfiguration.defaultHard
        }
        let periods = try gracePeriods()
        found += try parse(soft, "--eviction-soft") { (signal) throws(Invalid) in
            guard let period = periods[signal] else {
                throw Invalid(
                    description: "--eviction-soft \(signal.rawValue): needs a time for which it may last; "
                        + "give --eviction-soft-grace-period \(signal.rawValue)=1m30s")
            }
            return period
        }
        for (signal, value) in try reclaims() {
            for index in found.indices where found[index].signal == signal { found[index].minimumReclaim = value }
        }
        // The file system with the images shows in both of its names, the pods' memory in both of its own.
        for threshold in found where threshold.signal == .memoryAvailable && threshold.isHard {
            found.append(
                EvictionThreshold(
                    .allocatableMemoryAvailable, threshold.value, minimumReclaim: threshold.minimumReclaim))
        }
        return found
    }

    private func parse(
        _ entries: Entries, _ flag: String, _ gracePeriod: (EvictionSignal) throws(Invalid) -> Duration
    ) throws(Invalid) -> [EvictionThreshold] {
        var seen: Set<EvictionSignal> = []
        var found: [EvictionThreshold] = []
        for (name, text) in entries {
            let signal = try signal(name, flag)
            guard seen.insert(signal).inserted else {
                throw Invalid(description: "\(flag) \(name): given twice; give it once")
            }
            let value = try value(text, "\(flag) \(name)<\(text)", allowsZero: false)
            if case .share(let share) = value, share == 0 || share == 1 { continue }
            found.append(EvictionThreshold(signal, value, gracePeriod: try gracePeriod(signal)))
        }
        return found
    }

    private func gracePeriods() throws(Invalid) -> [EvictionSignal: Duration] {
        let flag = "--eviction-soft-grace-period"
        var periods: [EvictionSignal: Duration] = [:]
        for (name, text) in softGracePeriods {
            guard let period = Duration(kubernetes: text), period >= .zero else {
                throw Invalid(description: "\(flag) \(name)=\(text): not a duration; give one such as 1m30s")
            }
            periods[try signal(name, flag)] = period
        }
        return periods
    }

    private func reclaims() throws(Invalid) -> [(EvictionSignal, EvictionThreshold.Value)] {
        let flag = "--eviction-minimum-reclaim"
        var reclaims: [(EvictionSignal, EvictionThreshold.Value)] = []
        for (name, text) in minimumReclaims {
            reclaims.append((try signal(name, flag), try value(text, "\(flag) \(name)=\(text)", allowsZero: true)))
        }
        return reclaims
    }

    private func signal(_ name: String, _ flag: String) throws(Invalid) -> EvictionSignal {
        guard let signal = EvictionSignal(rawValue: name), signal != .allocatableMemoryAvailable else {
            let known = EvictionSignal.allCases.filter { $0 != .allocatableMemoryAvailable }.map(\.rawValue)
            throw Invalid(
                description: "\(flag) \(name): unknown signal; known: \(known.sorted().joined(separator: ", "))")
        }
        return signal
    }

    private func value(_ text: String, _ setting: String, allowsZero: Bool) throws(Invalid) -> EvictionThreshold.Value {
        if text.hasSuffix("%") {
            guard let percent = Float(text.dropLast()), (0...100).contains(percent) else {
                throw Invalid(description: "\(setting): not a share; give a percentage from 0% to 100%")
            }
            return .share(percent / 100)
        }
        guard let quantity = try? Quantity(parsing: text), !quantity.isNegative, allowsZero || !quantity.isZero else {
            throw Invalid(
                description: "\(setting): not a positive amount; give one such as 100Mi, or a percentage such as 10%")
        }
        return .quantity(quantity)
    }
}
