public import KubernetesAPI

extension PodExposure {
    public var json: JSONValue {
        [
            "score": .integer(Int64(score)), "level": .string(level.rawValue),
            "points": .array(
                points.map { point in
                    [
                        "points": .integer(Int64(point.points)), "field": .string(point.field),
                        "reason": .string(point.reason), "fix": .string(point.fix),
                    ]
                }),
        ]
    }

    /// For people: the score, then every point with its fix, the worst first.
    public func text(of pod: String) -> String {
        var text = "\(pod): exposure \(score) of 100 (\(level.rawValue))\n"
        for point in points {
            let digits = String(point.points)
            text += String(repeating: " ", count: max(0, 4 - digits.count)) + "+\(digits)  \(point.reason)\n"
            text += "       \(point.field); fix: \(point.fix)\n"
        }
        if points.isEmpty { text += "  nothing opens it\n" }
        return text
    }
}
