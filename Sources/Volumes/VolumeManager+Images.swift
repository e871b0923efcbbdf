import LinuxKernel

extension VolumeManager {
    /// IDs of the images that pods have mounted as volumes, or are about to.
    public func imageIDs() async throws(VolumeError) -> Set<String> {
        let layouts = try await podUIDsOnDisk().compactMap {
            try? PodVolumeLayout(stateDirectory: stateDirectory, podUID: $0)
        }
        return await pool.run { layouts.reduce(into: []) { $0.formUnion(ImagePlugin.imageIDs(in: $1)) } }
    }
}
