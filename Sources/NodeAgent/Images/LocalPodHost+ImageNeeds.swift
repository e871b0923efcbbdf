public import ContainerImages
import ContainerRuntime
import Volumes

extension LocalPodHost {
    /// Images that something on this node was made of, whatever becomes of its pod; nil when the pods' directories cannot be
    /// read.
    public func usedImageIDs() async -> Set<String>? {
        let mounted: Set<String>
        do throws(VolumeError) { mounted = try await parts.volumes.imageIDs() } catch { return nil }
        return mounted.union(await parts.runtime.containers().map(\.config.imageID))
    }

    /// What must stay; nil when the node's pods are not known yet.
    public func imageNeeds(of agent: NodeAgent) async -> ImageNeeds? {
        guard let references = await agent.imageReferences(), let ids = await usedImageIDs() else { return nil }
        return ImageNeeds(ids: ids, references: references)
    }
}
