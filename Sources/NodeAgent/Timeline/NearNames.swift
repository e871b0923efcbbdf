/// Names that somebody may have meant.
enum NearNames {
    static let limit = 5
    /// Letters that may be wrong, missing or too many.
    private static let farthest = 3

    /// The same name elsewhere, names that one begins or is part of, names a few letters away; as `namespace/name`.
    static func of(_ name: String, namespace: String, among known: [(namespace: String, name: String)]) -> [String] {
        var ranks: [String: Int] = [:]
        for pod in known {
            var rank: Int
            if pod.name == name {
                rank = 0
            } else if name.count >= 2, pod.name.hasPrefix(name) {
                rank = 2
            } else if name.count >= 3, pod.name.contains(name) {
                rank = 4
            } else {
                let distance = distance(name, pod.name)
                guard distance <= min(farthest, max(1, name.count / 3)) else { continue }
                rank = 4 + 2 * distance
            }
            if pod.namespace != namespace { rank += 1 }
            ranks["\(pod.namespace)/\(pod.name)"] = rank
        }
        return Array(ranks.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key).prefix(limit))
    }

    /// How many letters to change, add or leave out (Levenshtein), of at most 253 each.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8.prefix(253)), Array(right.utf8.prefix(253)))
        if abs(left.count - right.count) > farthest { return .max }
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let change = diagonal + (byte == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
