import KubernetesAPI
import KubernetesClient

extension APIClient {
    /// Writes an object's status. False when the object is gone or newer than known: the informer will show it and bring another run.
    func writeStatus(_ object: some KubernetesResource) async throws(APIError) -> Bool {
        do throws(APIError) { _ = try await updateStatus(object) } catch {
            if error.isNotFound || error.isConflict { return false }
            throw error
        }
        return true
    }
}
