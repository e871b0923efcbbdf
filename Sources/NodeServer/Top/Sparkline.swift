/// A row of bars, as high as the values they stand for.
enum Sparkline {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// The last values that fit, newest right; what is missing on the left is blank.
    /// - Parameter ceiling: what a full bar stands for; nil for the largest value shown.
    static func draw(_ values: [Int64], width: Int, ceiling: Int64? = nil) -> String {
        guard width > 0 else { return "" }
        let shown = values.suffix(width)
        let top = max(1, ceiling ?? shown.max() ?? 1)
        var line = String(repeating: " ", count: width - shown.count)
        for value in shown {
            let clamped = min(max(0, value), top)
            let (product, overflow) = clamped.multipliedReportingOverflow(by: Int64(bars.count - 1))
            let index = overflow ? bars.count - 1 : Int((product + top / 2) / top)
            line.append(bars[min(index, bars.count - 1)])
        }
        return line
    }
}
