import KubernetesAPI
import Logging

extension PodWorker {
    /// Sees to it that a container's image is on the node. What prevents it becomes a blocker, events and the waiting
    /// reason: `ErrImagePull` after a try, `ImagePullBackOff` until the next.
    func prepareImage(of container: Container) async -> Bool {
        let (name, image) = (container.name, container.image ?? "")
        let key = Self.pullBackOffKey(image)
        let need: ImageNeed
        do throws(PodHostError) { need = try await context.host.findImage(of: container, in: pod) } catch {
            refuseImage(of: name, error)
            return false
        }
        guard need == .pull else {
            forgetPulls(key)
            return true
        }
        if let until = backOff.blockedUntil(key, failedAt: nil, now: now) {
            let message = "Back-off pulling image \"\(image)\""
            record(.normal, "BackOff", message, container: name)
            record(.warning, "Failed", "Error: ImagePullBackOff", container: name)
            block(
                name, reason: "ImagePullBackOff", message: message + (pullFailures[key].map { ": \($0)" } ?? ""),
                retryAfter: until - now)
            return false
        }
        record(.normal, "Pulling", "Pulling image \"\(image)\"", container: name)
        let result = await untilInterrupted(where: { $0.stage != .syncing }) { [context, pod] in
            do throws(PodHostError) {
                try await context.host.pullImage(of: container, in: pod)
                return Result<Void, PodHostError>.success(())
            } catch {
                return .failure(error)
            }
        }
        // Deleted meanwhile, or the agent ends: the pull is given up.
        guard let result, stage == .syncing, !Task.isCancelled else { return false }
        if case .failure(let error) = result {
            pullFailed(of: name, image: image, key, error)
            return false
        }
        forgetPulls(key)
        return true
    }

    /// The same for the images that the pod mounts: without them none of its containers can start, and each says so.
    func prepareImageVolumes(for container: Container) async -> Bool {
        for source in await context.host.pendingImageVolumes(of: pod) {
            var user = Container(name: container.name)
            user.image = source.reference
            user.imagePullPolicy = source.pullPolicy
            guard await prepareImage(of: user) else { return false }
        }
        return true
    }

    private func pullFailed(of name: String, image: String, _ key: String, _ error: PodHostError) {
        backOff.recordTry(key, now: now)
        pullFailures[key] = "\(error.reason): \(error.message)"
        record(.warning, "Failed", "Failed to pull image \"\(image)\": \(error.message)", container: name)
        record(.warning, "Failed", "Error: \(error.reason)", container: name)
        logger.warning("image not pulled", metadata: ["container": "\(name)", "error": "\(error.message)"])
        block(
            name, reason: error.reason, message: error.message,
            retryAfter: min(Self.failureShownFor, backOff.delay(key)))
    }

    /// How long a failed try is shown as such before the waiting for the next one is.
    private static let failureShownFor = Duration.seconds(2)

    /// A pull will not help: a name that is none, or a policy that forbids it.
    private func refuseImage(of name: String, _ error: PodHostError) {
        let reason = error.reason == "InvalidImageName" ? "InspectFailed" : error.reason
        record(.warning, reason, error.message, container: name)
        record(.warning, "Failed", "Error: \(error.reason)", container: name)
        block(name, reason: error.reason, message: error.message, retryAfter: .seconds(10))
    }

    private static func pullBackOffKey(_ image: String) -> String { "image/\(image)" }

    private func forgetPulls(_ key: String) {
        backOff.forget(key)
        pullFailures[key] = nil
    }
}
