/// Whether a text is a schedule as cron(8) reads it.
enum CronSchedule {
    private static let names: Set<String> = [
        "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
    ]
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// Why it is none; nil when it is one.
    static func problem(of text: String) -> String? {
        if text.hasPrefix("@") { return problem(ofName: text) }
        let fields = text.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count == 5 else { return "expected exactly 5 fields, found \(fields.count): [\(text)]" }
        let bounds: [(ClosedRange<Int>, [String], first: Int)] = [
            (0...59, [], 0), (0...23, [], 0), (1...31, [], 0), (1...12, months, 1), (0...6, days, 0),
        ]
        for (field, (range, names, first)) in zip(fields, bounds) {
            for part in field.split(separator: ",", omittingEmptySubsequences: false) {
                if let problem = problem(ofPart: part, range, names, first) { return problem }
            }
        }
        return nil
    }

    private static func problem(ofName text: String) -> String? {
        if names.contains(text) { return nil }
        let every = "@every "
        if text.hasPrefix(every), Duration(kubernetes: String(text.dropFirst(every.count))) != nil { return nil }
        return "unrecognized descriptor: \(text)"
    }

    private static func problem(
        ofPart part: Substring, _ range: ClosedRange<Int>, _ names: [String], _ first: Int
    ) -> String? {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let body = pieces.first else { return "too many slashes: \(part)" }
        if pieces.count == 2 {
            guard let step = Int(pieces[1]), step > 0 else {
                return "step of range should be a positive number: \(part)"
            }
        }
        if body == "*" || body == "?" { return nil }
        let ends = body.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2 else { return "too many hyphens: \(part)" }
        var numbers: [Int] = []
        for end in ends {
            let name = names.firstIndex(of: end.lowercased()).map { $0 + first }
            guard let number = name ?? Int(end) else { return "failed to parse int from \(end)" }
            guard range.contains(number) else {
                return "\(number) is outside of \(range.lowerBound) to \(range.upperBound): \(part)"
            }
            numbers.append(number)
        }
        if numbers.count == 2, numbers[0] > numbers[1] { return "beginning of range beyond end of range: \(part)" }
        return nil
    }
}
