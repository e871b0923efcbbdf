/// In which order pods are evicted for lack of something. Pure.
///
/// For memory and disk: those that use more than they were promised before those that do not, then by lower priority, then by how much
/// more than promised. For process ids: by lower priority, then by how many.
enum EvictionRanking {
    static func order(_ candidates: [EvictionCandidate], for signal: EvictionSignal) -> [EvictionCandidate] {
        let resource = signal.resource
        let ranked = candidates.map { Ranked($0, resource: resource, countsRequests: signal != .pidAvailable) }
        // Of equal ones: as they came.
        return ranked.enumerated().sorted { one, other in
            one.element.precedes(other.element) ?? (one.offset < other.offset)
        }.map(\.element.candidate)
    }

    private struct Ranked {
        let candidate: EvictionCandidate
        /// A pod of which nothing is known goes before all others.
        let isUnknown: Bool
        let exceedsRequest: Bool
        let usage: Int64

        init(_ candidate: EvictionCandidate, resource: String, countsRequests: Bool) {
            self.candidate = candidate
            let usage = candidate.usage(of: resource)
            isUnknown = usage == nil
            guard countsRequests else {
                exceedsRequest = false
                self.usage = usage ?? 0
                return
            }
            let request = candidate.request(of: resource)
            exceedsRequest = (usage ?? 0) > request
            let (excess, overflow) = (usage ?? 0).subtractingReportingOverflow(request)
            self.usage = overflow ? .min : excess
        }

        /// nil for equals.
        func precedes(_ other: Ranked) -> Bool? {
            if isUnknown != other.isUnknown { return isUnknown }
            if exceedsRequest != other.exceedsRequest { return exceedsRequest }
            if candidate.priority != other.candidate.priority { return candidate.priority < other.candidate.priority }
            return usage == other.usage ? nil : usage > other.usage
        }
    }
}
