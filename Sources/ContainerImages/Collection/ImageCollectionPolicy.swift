/// When images nobody needs are removed. Names and defaults are kubelet's.
public struct ImageCollectionPolicy: Hashable, Sendable {
    /// Disk use in percent from which on images are removed; 100 never.
    public var highThresholdPercent: Int
    /// Disk use in percent down to which images are removed.
    public var lowThresholdPercent: Int
    /// An image that is here for less is not removed.
    public var minimumAge: Duration
    /// An image nobody has needed for so long is removed whatever the disk has left; zero never.
    public var maximumAge: Duration

    public init(
        highThresholdPercent: Int = 85, lowThresholdPercent: Int = 80, minimumAge: Duration = .seconds(120),
        maximumAge: Duration = .zero
    ) {
        self.highThresholdPercent = highThresholdPercent
        self.lowThresholdPercent = lowThresholdPercent
        self.minimumAge = minimumAge
        self.maximumAge = maximumAge
    }
}
