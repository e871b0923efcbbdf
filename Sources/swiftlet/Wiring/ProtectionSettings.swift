import ContainerImages
import KubernetesAPI
import MonitorCore
import NodeAgent

/// Limits and thresholds after flags, configuration file and defaults.
struct ProtectionSettings: Sendable {
    /// nil when logs may grow for ever.
    let logLimit: LogLimit?
    let eviction: EvictionConfiguration
    let images: ImageCollectionPolicy

    init(_ options: ProtectionOptions, _ file: ConfigurationFile) throws {
        logLimit = try Self.logLimit(options, file)
        eviction = try Self.eviction(options, file)
        images = try Self.images(options, file)
    }

    private static func logLimit(_ options: ProtectionOptions, _ file: ConfigurationFile) throws -> LogLimit? {
        let files = try options.containerLogMaxFiles ?? file.integer("containerLogMaxFiles") ?? 5
        guard (2...100_000).contains(files) else {
            throw SettingError("--container-log-max-files \(files): must be at least 2, and at most 100000")
        }
        let text = try options.containerLogMaxSize ?? file.text("containerLogMaxSize") ?? "10Mi"
        guard let size = try? Quantity(parsing: text) else {
            throw SettingError("--container-log-max-size \(text): not a size; give one such as 10Mi")
        }
        if size.isNegative { return nil }
        guard size.value > 0 else {
            throw SettingError("--container-log-max-size \(text): must be positive, or negative for no limit")
        }
        return LogLimit(maximumBytes: UInt64(size.value), maximumFiles: UInt32(files))
    }

    private static func eviction(
        _ options: ProtectionOptions, _ file: ConfigurationFile
    ) throws -> EvictionConfiguration {
        typealias Entries = EvictionThresholds.Entries
        func entries(
            _ flag: String?, _ name: String, _ field: String, _ separator: Character
        ) throws -> Entries? {
            if let flag { return try EvictionThresholds.entries(flag, separator: separator, flag: name) }
            return try file.texts(field)?.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        do {
            let thresholds = EvictionThresholds(
                hard: try entries(options.evictionHard, "--eviction-hard", "evictionHard", "<"),
                soft: try entries(options.evictionSoft, "--eviction-soft", "evictionSoft", "<") ?? [],
                softGracePeriods: try entries(
                    options.evictionSoftGracePeriod, "--eviction-soft-grace-period", "evictionSoftGracePeriod", "=")
                    ?? [],
                minimumReclaims: try entries(
                    options.evictionMinimumReclaim, "--eviction-minimum-reclaim", "evictionMinimumReclaim", "=") ?? [],
                keepsDefaults: try file.flag("mergeDefaultEvictionSettings") ?? false)
            return EvictionConfiguration(
                thresholds: try thresholds.thresholds(),
                pressureTransitionPeriod: try transitionPeriod(options, file),
                maximumPodGracePeriodSeconds: try gracePeriod(options, file))
        } catch let error as EvictionThresholds.Invalid {
            throw SettingError(error.description)
        }
    }

    private static func images(_ options: ProtectionOptions, _ file: ConfigurationFile) throws -> ImageCollectionPolicy
    {
        func percent(_ flag: Int?, _ name: String, _ field: String, _ standard: Int) throws -> Int {
            let value = try flag ?? file.integer(field) ?? standard
            guard (0...100).contains(value) else { throw SettingError("\(name) \(value): must be from 0 to 100") }
            return value
        }
        func age(_ flag: String?, _ name: String, _ field: String, _ standard: Duration) throws -> Duration {
            guard let text = try flag ?? file.text(field) else { return standard }
            guard let age = Duration(kubernetes: text), age >= .zero else {
                throw SettingError("\(name) \(text): not a duration; give one such as 2m")
            }
            return age
        }
        let (highName, lowName) = ("--image-gc-high-threshold", "--image-gc-low-threshold")
        let high = try percent(options.imageGcHighThreshold, highName, "imageGCHighThresholdPercent", 85)
        let low = try percent(options.imageGcLowThreshold, lowName, "imageGCLowThresholdPercent", 80)
        guard low < high else {
            throw SettingError("\(lowName) \(low): must be lower than \(highName), which is \(high)")
        }
        let (minimumName, maximumName) = ("--minimum-image-ttl-duration", "--maximum-image-ttl-duration")
        let minimum = try age(options.minimumImageTtlDuration, minimumName, "imageMinimumGCAge", .seconds(120))
        let maximum = try age(options.maximumImageTtlDuration, maximumName, "imageMaximumGCAge", .zero)
        guard maximum == .zero || maximum > minimum else {
            throw SettingError("\(maximumName): must be longer than \(minimumName), or 0s for never")
        }
        return ImageCollectionPolicy(
            highThresholdPercent: high, lowThresholdPercent: low, minimumAge: minimum, maximumAge: maximum)
    }

    private static func transitionPeriod(_ options: ProtectionOptions, _ file: ConfigurationFile) throws -> Duration {
        guard
            let text = try options.evictionPressureTransitionPeriod ?? file.text("evictionPressureTransitionPeriod")
        else { return .seconds(300) }
        guard let period = Duration(kubernetes: text), period >= .zero else {
            throw SettingError("--eviction-pressure-transition-period \(text): not a duration; give one such as 5m")
        }
        return period
    }

    private static func gracePeriod(_ options: ProtectionOptions, _ file: ConfigurationFile) throws -> Int64 {
        let seconds = try options.evictionMaxPodGracePeriod ?? file.integer("evictionMaxPodGracePeriod") ?? 0
        guard (0...Int(Int32.max)).contains(seconds) else {
            throw SettingError("--eviction-max-pod-grace-period \(seconds): not a number of seconds, at least 0")
        }
        return Int64(seconds)
    }
}
