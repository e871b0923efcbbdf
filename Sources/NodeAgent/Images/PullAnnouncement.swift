import ContainerImages

/// What people are told of a pull that takes long: how far it is, or that nothing comes any more.
struct PullAnnouncement: Hashable, Sendable {
    /// Between two of them, and before the first.
    static let interval = Duration.seconds(30)

    private var received: Int64 = 0

    /// - Parameter progress: now, one interval after the last; without layers when the manifest has not come yet.
    /// - Returns: whether it stands still, and a line about it.
    mutating func next(_ progress: PullProgress, image: String) -> (isStalled: Bool, text: String) {
        let layers = progress.layers.filter { $0.stage != .present }
        let now = layers.reduce(Int64(0)) { $0.addingReportingOverflow($1.receivedBytes).partialValue }
        let total = layers.reduce(Int64(0)) { $0.addingReportingOverflow($1.totalBytes).partialValue }
        let gained = max(0, now - received)
        received = now
        let seconds = Int(Self.interval / .seconds(1))
        let title = "Pulling image \"\(image)\""
        guard !layers.isEmpty else { return (true, "\(title): the registry has not answered for \(seconds)s") }
        let amount = "\(PullDisplay.bytes(Double(now))) of \(PullDisplay.bytes(Double(total)))"
        guard now < total else {
            return (false, "\(title): all \(PullDisplay.bytes(Double(total))) are here, and being unpacked")
        }
        guard gained > 0 else { return (true, "\(title): nothing has come for \(seconds)s; \(amount) are here") }
        let rate = Double(gained) / Double(seconds)
        let left = Int(clamping: Int64(min(Double(total - now) / rate, 1e9).rounded(.up)))
        let done = layers.count { $0.stage == .done }
        return (
            false,
            "\(title): \(amount), \(done) of \(layers.count) layers, \(PullDisplay.bytes(rate))/s, about \(left)s left"
        )
    }
}
