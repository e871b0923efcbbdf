import LinuxKernel

/// Sandboxes left on disk by an earlier agent of this boot.
enum SandboxRecovery {
    /// Each with whether its namespaces are pinned: not after it was stopped.
    static func scan(_ configuration: RuntimeConfiguration, bootID: String) throws(KernelError) -> [(PodSandbox, Bool)]
    {
        var sandboxes: [(PodSandbox, Bool)] = []
        // Read once for all: the table grows with the sandboxes, and so would each reading.
        let mounted = Set(try Mount.points(below: configuration.sandboxesDirectory))
        for id in try FileSystem.list(configuration.sandboxesDirectory) {
            let directory = configuration.sandboxesDirectory + "/" + id
            if let bytes = try? FileSystem.read(directory + "/record"),
                let record = try? SandboxRecord(decoding: bytes, directory: directory), record.bootID == bootID,
                record.sandbox.id == id
            {
                let sandbox = record.sandbox
                sandboxes.append(
                    (sandbox, sandbox.isPinned(at: mounted) && !FileSystem.exists(sandbox.stoppedMark)))
            } else {
                // Of an earlier boot, or cut short while it was made: nothing can run in it.
                try discard(directory)
            }
        }
        return sandboxes
    }

    /// Unmounts everything below the directory and removes it.
    static func discard(_ directory: String) throws(KernelError) {
        for point in try Mount.points(below: directory) { try Mount.unmount(point) }
        try FileSystem.removeTree(directory)
    }
}
