/// One line of the result: what was measured, of whom, and how it stands against its peer and its goal.
struct MeasureRow: Sendable {
    enum Unit: String, Sendable {
        case milliseconds = "ms"
        case mebibytes = "MiB"
        case percentOfCore = "% of a core"
        case perSecond = "/s"
    }

    var measure: String
    var subject: String
    var unit: Unit
    var samples: Samples
    /// CPU time of the subject per operation, its children's included, in milliseconds.
    var cpuMilliseconds: Samples?
    /// Whom it is compared with, and the quotient of the medians.
    var peer: String?
    var ratio: Double?
    /// What the value, or the ratio where there is a peer, has to stay at or below.
    var goal: Double?

    init(
        _ measure: String, _ subject: String, _ unit: Unit, _ samples: Samples, cpuMilliseconds: Samples? = nil,
        goal: Double? = nil
    ) {
        self.measure = measure
        self.subject = subject
        self.unit = unit
        self.samples = samples
        self.cpuMilliseconds = cpuMilliseconds
        self.goal = goal
    }

    /// The same row held against another one of the same run.
    func compared(with peer: MeasureRow, goal: Double? = nil) -> MeasureRow {
        var row = self
        row.peer = peer.subject
        row.ratio = peer.samples.median > 0 ? samples.median / peer.samples.median : nil
        row.goal = goal
        return row
    }

    /// Whether the goal is met; nil without one.
    var meetsGoal: Bool? { goal.map { (ratio ?? samples.median) <= $0 } }
}
