import Synchronization

/// What the node is short of, as all who need to know it see it at once: the node's conditions, admission, and its taints.
public final class NodePressures: NodeHealthSource {
    private struct Told {
        var pressures: Set<PodAdmission.Pressure> = []
        var messages: [PodAdmission.Pressure: String] = [:]
    }

    private let told = Mutex(Told())

    public init() {}

    public var current: Set<PodAdmission.Pressure> { told.withLock { $0.pressures } }

    public func nodeProblems() async -> [NodeProblem] {
        let told = told.withLock { $0 }
        return PodAdmission.Pressure.allCases.filter(told.pressures.contains).compactMap { pressure in
            NodeProblem.Condition(rawValue: pressure.rawValue).map {
                NodeProblem(condition: $0, message: told.messages[pressure] ?? pressure.message)
            }
        }
    }

    /// Takes a new look over; true when the conditions are others now. The message of a condition that is only held tells of when it
    /// was last seen.
    func update(_ outcome: EvictionDecision.Outcome) -> Bool {
        told.withLock { told in
            for pressure in outcome.conditions {
                let met = outcome.shortages.map(\.threshold).filter { $0.signal.pressure == pressure }
                if met.isEmpty { continue }
                let texts = Set(met.map(\.description)).sorted()
                told.messages[pressure] = "\(pressure.message): \(texts.joined(separator: ", "))"
            }
            defer { told.pressures = outcome.conditions }
            return told.pressures != outcome.conditions
        }
    }
}
