/// Which container has which processors for itself. Pure.
///
/// A container that asks for whole processors, in a Guaranteed pod, gets them exclusively; all others share what is left.
/// What is reserved is never given away, but is part of what is shared.
public struct CPUAssignment: Hashable, Sendable {
    /// A container of a pod, through all its restarts.
    public struct Holder: Hashable, Sendable {
        public var podUID: String
        public var container: String
        /// It ends before the pod's other containers start, which take over what it had.
        public var isInitial: Bool

        public init(podUID: String, container: String, isInitial: Bool = false) {
            self.podUID = podUID
            self.container = container
            self.isInitial = isInitial
        }
    }

    public let topology: CPUTopology
    public let reserved: CPUSet
    public private(set) var assigned: [Holder: CPUSet] = [:]

    public init(topology: CPUTopology, reserved: CPUSet) {
        self.topology = topology
        self.reserved = reserved
    }

    /// The lowest processors, whole cores first: what a number of reserved processors stands for.
    public static func reserve(_ count: Int, of topology: CPUTopology) -> CPUSet {
        CPUAssignment(topology: topology, reserved: CPUSet()).choose(count, from: topology.all) ?? topology.all
    }

    private var taken: CPUSet { assigned.values.reduce(CPUSet()) { $0.union($1) } }

    /// What all containers without processors of their own run on.
    public var shared: CPUSet { topology.all.subtracting(taken) }

    /// What a container could get for itself now.
    public var free: CPUSet { shared.subtracting(reserved) }

    /// A container of before the agent's restart has these.
    public mutating func adopt(_ processors: CPUSet, by holder: Holder) { assigned[holder] = processors }

    /// Gives a container as many processors for itself, the same ones each time it asks.
    ///
    /// - Returns: nil when there are not enough.
    public mutating func assign(_ count: Int, to holder: Holder) -> CPUSet? {
        if let held = assigned[holder], held.count == count { return held }
        assigned[holder] = nil
        let initial = assigned.filter { $0.key.podUID == holder.podUID && $0.key.isInitial }.values
        let others = assigned.filter { $0.key.podUID != holder.podUID || !$0.key.isInitial }.values
        let lent = initial.reduce(CPUSet()) { $0.union($1) }
        let used = others.reduce(CPUSet()) { $0.union($1) }
        let available = topology.all.subtracting(used).subtracting(reserved)
        // What the pod has already comes first.
        let own = lent.intersection(available)
        let chosen: CPUSet?
        if own.count >= count {
            chosen = choose(count, from: own)
        } else {
            chosen = choose(count - own.count, from: available.subtracting(own)).map(own.union)
        }
        assigned[holder] = chosen
        return chosen
    }

    /// Nothing of the pod runs any more. Gives whether it had processors for itself.
    public mutating func release(podUID: String) -> Bool {
        let before = assigned.count
        assigned = assigned.filter { $0.key.podUID != podUID }
        return assigned.count < before
    }

    /// Whole sockets, then whole cores, then single threads, of cores and sockets that are used already if possible: what
    /// is left together can be given together.
    func choose(_ count: Int, from available: CPUSet) -> CPUSet? {
        guard count <= available.count else { return nil }
        var chosen = CPUSet()
        var rest = available
        func take(_ groups: [CPUSet], wholesOf all: [CPUSet]) {
            for group in groups where all.contains(group) && group.count <= count - chosen.count {
                chosen = chosen.union(group)
                rest = rest.subtracting(group)
            }
        }
        take(topology.sockets(of: rest), wholesOf: topology.sockets(of: topology.all))
        // The socket with the least left first: the others stay whole.
        let sockets = topology.sockets(of: rest).enumerated().sorted {
            ($0.element.count, $0.offset) < ($1.element.count, $1.offset)
        }
        for (_, socket) in sockets {
            take(topology.cores(of: socket), wholesOf: topology.cores(of: topology.all))
        }
        for (_, socket) in sockets where chosen.count < count {
            let cores = topology.cores(of: socket.intersection(rest)).enumerated().sorted {
                ($0.element.count, $0.offset) < ($1.element.count, $1.offset)
            }
            for number in cores.flatMap(\.element.sorted).prefix(count - chosen.count) {
                chosen = chosen.union(CPUSet([number]))
            }
        }
        return chosen
    }
}
