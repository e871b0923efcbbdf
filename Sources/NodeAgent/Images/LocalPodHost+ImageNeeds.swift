public import ContainerImages
import ContainerRuntime

extension LocalPodHost {
    /// Images that something on this node was made of, whatever becomes of its pod.
    public func usedImageIDs() async -> Set<String> {
        Set(await parts.runtime.containers().map(\.config.imageID))
    }

    /// What must stay; nil when the node's pods are not known yet.
    public func imageNeeds(of agent: NodeAgent) async -> ImageNeeds? {
        guard let references = await agent.imageReferences() else { return nil }
        return ImageNeeds(ids: await usedImageIDs(), references: references)
    }
}
