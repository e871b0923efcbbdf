import LinuxKernel

/// Lets go of memory that the start or a burst of work needed and the node itself does not.
enum MemoryUpkeep {
    /// By then what begins beside the node's start has run for the first time.
    private static let settling = Duration.seconds(5)
    private static let interval = Duration.seconds(300)
    /// Less is not worth the pages that are read again.
    private static let worthwhileBytes = 4 << 20

    private static func release() async {
        await KernelThreadPool.shared.run { ProcessMemory.release() }
    }

    /// Until the task is cancelled.
    static func run() async throws {
        let clock = ContinuousClock()
        await release()
        try await clock.sleep(for: settling)
        await release()
        var known: Int?
        while true {
            try await clock.sleep(for: interval)
            let now = ProcessMemory.residentBytes ?? 0
            if let before = known, now < before + worthwhileBytes { continue }
            await release()
            // What is needed again comes back at once, and is what the node is measured by later.
            try await clock.sleep(for: settling)
            known = ProcessMemory.residentBytes
        }
    }
}
