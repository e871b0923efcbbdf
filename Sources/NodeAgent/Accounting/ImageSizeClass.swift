/// Sizes of images as a kubelet's figures of pulls tell them apart.
public struct ImageSizeClass: Hashable, Comparable, Sendable {
    /// `100MB-500MB`.
    public let name: String
    private let order: Int

    private static let mebibyte: Int64 = 1 << 20
    private static let gibibyte: Int64 = 1 << 30
    /// Each begins where the one before it ends.
    private static let classes: [(from: Int64, name: String)] = [
        (1, "0-10MB"), (10 * mebibyte, "10MB-100MB"), (100 * mebibyte, "100MB-500MB"), (500 * mebibyte, "500MB-1GB"),
        (gibibyte, "1GB-5GB"), (5 * gibibyte, "5GB-10GB"), (10 * gibibyte, "10GB-20GB"), (20 * gibibyte, "20GB-30GB"),
        (30 * gibibyte, "30GB-40GB"), (40 * gibibyte, "40GB-60GB"), (60 * gibibyte, "60GB-100GB"),
        (100 * gibibyte, "GT100GB"),
    ]

    /// Upper bounds of a kubelet's histogram of pulls, in seconds.
    public static let durationBounds: [Double] = [1, 5, 10, 20, 30, 60, 180, 300, 600, 900, 1200, 1800, 2700, 3600]

    /// - Parameter bytes: 0 when it is not known.
    public init(bytes: Int64) {
        order = Self.classes.lastIndex { $0.from <= bytes } ?? -1
        name = order < 0 ? "N/A" : Self.classes[order].name
    }

    public static func < (left: ImageSizeClass, right: ImageSizeClass) -> Bool { left.order < right.order }
}
