public import ContainerImages
public import KubernetesAPI
import LinuxKernel
import Logging
import Volumes

extension LocalPodHost {
    /// What a container's root is made of.
    struct ResolvedImage: Sendable {
        var reference: String
        var id: String
        var layers: [String]
        var config: ImageConfig
    }

    public func findImage(of container: Container, in pod: Pod) async throws(PodHostError) -> ImageNeed {
        let text = container.image ?? ""
        guard !ImageReference.isHostRootfs(text) else { return .none }
        let reference = try Self.reference(text)
        let (isPresent, isPermitted) = await presence(of: text, reference, for: pod)
        var problem: String?
        if isPresent, let present = await parts.images.resolve(text) { problem = distrust(of: present, as: text) }
        switch ImagePullDecision.decide(
            image: text, tag: reference.tag, policy: container.imagePullPolicy, isPresent: isPresent,
            isPermitted: isPermitted, distrust: problem)
        {
        case .pull: return .pull
        case .refuse(let reason, let message): throw PodHostError(reason: reason, message: message)
        case .use:
            record(
                .normal, "Pulled",
                "Container image \"\(text)\" already present on machine and can be accessed by the pod", of: pod,
                container: container.name)
            return .none
        }
    }

    public func pullImage(of container: Container, in pod: Pod) async throws(PodHostError) {
        let text = container.image ?? ""
        let reference = try Self.reference(text)
        let start = ContinuousClock.now
        parts.durations.imagePullStarted()
        do throws(ImageError) {
            let outcome = try await announced(reference, of: pod, container: container)
            let whole = ContinuousClock.now - start
            parts.durations.imagePullEnded(whole, bytes: outcome.image.sizeBytes)
            record(
                .normal, "Pulled",
                "Successfully pulled image \"\(text)\" in \(Self.text(outcome.duration)) "
                    + "(\(Self.text(whole)) including waiting). Image size: \(outcome.image.sizeBytes) bytes.",
                of: pod, container: container.name)
        } catch {
            parts.durations.imagePullEnded(ContinuousClock.now - start, bytes: nil)
            throw await refusal(of: text, reference, error)
        }
    }

    /// Pulls, and says from time to time how far that is when it takes long.
    private func announced(
        _ reference: ImageReference, of pod: Pod, container: Container
    ) async throws(ImageError) -> ImagePuller.Outcome {
        let keyring = await keyring(for: reference, of: pod)
        return try await withTaskGroup(of: Result<ImagePuller.Outcome, ImageError>?.self) { group in
            group.addTask {
                do throws(ImageError) {
                    return .success(try await self.parts.puller.pull(reference, keyring: keyring))
                } catch { return .failure(error) }
            }
            group.addTask {
                await self.announceProgress(reference, of: pod, container: container)
                return nil
            }
            var result: Result<ImagePuller.Outcome, ImageError>?
            while result == nil, let next = await group.next() { result = next }
            group.cancelAll()
            return result ?? .failure(ImageError(.cancelled, "the pull was cancelled"))
        }.get()
    }

    private func announceProgress(_ reference: ImageReference, of pod: Pod, container: Container) async {
        var announcement = PullAnnouncement()
        while (try? await Task.sleep(for: PullAnnouncement.interval)) != nil {
            let progress = parts.puller.progress(of: reference) ?? PullProgress()
            let (isStalled, text) = announcement.next(progress, image: container.image ?? "")
            record(isStalled ? .warning : .normal, "Pulling", text, of: pod, container: container.name)
        }
    }

    /// Bytes of layers that have come from registries.
    public var receivedImageBytes: UInt64 { parts.puller.receivedBytes }

    private func refusal(of text: String, _ reference: ImageReference, _ error: ImageError) async -> PodHostError {
        let isNamed = error.message.contains("image \"")
        var message = isNamed ? error.message : "image \"\(reference)\": \(error.message)"
        guard error.code != .untrusted else {
            return PodHostError(
                reason: Self.distrusted,
                message: "image pull failed for \(text) because the signature validation failed: \(message)")
        }
        if let present = await parts.images.resolve(text), let problem = distrust(of: present, as: text) {
            message += "; the image that is here is not used: \(problem)"
        }
        return PodHostError(reason: "ErrImagePull", message: message)
    }

    // MARK: Trust

    /// A kubelet's reason for an image without the signature it needs.
    static let distrusted = "SignatureValidationFailed"

    /// Why an image that is here is not used; nil when it may be.
    func distrust(of image: StoredImage, as text: String) -> String? {
        parts.imageTrust().problem(of: image, as: text)
    }

    // MARK: For people

    /// Pulls an image with the node's own credentials, for no pod.
    public func pull(_ reference: ImageReference) async throws(ImageError) -> ImagePuller.Outcome {
        try await parts.puller.pull(reference, keyring: try await parts.nodeCredentials.keyring(for: reference))
    }

    /// How far ``pull(_:)`` is; nil when it is not under way.
    public func pullProgress(of reference: ImageReference) async -> PullProgress? {
        parts.puller.progress(of: reference)
    }

    // MARK: Names

    private static func reference(_ text: String) throws(PodHostError) -> ImageReference {
        do throws(ImageError) { return try ImageReference(parsing: text) } catch {
            throw PodHostError(
                reason: "InvalidImageName", message: "Failed to apply default image tag \"\(text)\": \(error)")
        }
    }

    /// Whether the image is here, and whether the pod may have it without asking the registry.
    private func presence(
        of text: String, _ reference: ImageReference, for pod: Pod
    ) async -> (isPresent: Bool, isPermitted: Bool) {
        if let found = await parts.images.find(reference, credentials: []) {
            if found.isPermitted { return (true, true) }
            let credentials = parts.puller.credentials(for: reference, in: await keyring(for: reference, of: pod))
            return (true, await parts.images.find(reference, credentials: credentials)?.isPermitted == true)
        }
        guard let found = await parts.images.find(id: text, keyring: RegistryKeyring()) else { return (false, false) }
        if found.isPermitted { return (true, true) }
        let keyring = await keyring(for: reference, of: pod)
        return (true, await parts.images.find(id: text, keyring: keyring)?.isPermitted == true)
    }

    /// 1.234s, 56ms.
    static func text(_ duration: Duration) -> String {
        let milliseconds = Int64(duration / .milliseconds(1))
        guard milliseconds >= 1000 else { return "\(milliseconds)ms" }
        var fraction = String(1000 + milliseconds % 1000).dropFirst()
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return "\(milliseconds / 1000)\(fraction.isEmpty ? "" : ".")\(fraction)s"
    }

    func image(of container: Container, in pod: Pod) async throws(PodHostError) -> ResolvedImage {
        let reference = container.image ?? ""
        if ImageReference.isHostRootfs(reference) {
            // Whether the pod may have it was asked of the node's policy.
            return ResolvedImage(
                reference: reference, id: reference, layers: RootFilesystem.host.lowerDirectories,
                config: ImageConfig())
        }
        guard let stored = await parts.images.use(reference) else {
            throw PodHostError(
                reason: "CreateContainerError", message: "image \"\(reference)\" was removed from this node meanwhile")
        }
        // Its name may have come to stand for another image, or the policy may be another, since it was looked for.
        if let problem = distrust(of: stored, as: reference) {
            throw PodHostError(reason: Self.distrusted, message: "image \"\(reference)\": \(problem)")
        }
        return ResolvedImage(
            reference: reference, id: stored.id, layers: await parts.images.layers(of: stored), config: stored.config)
    }

    // MARK: Credentials

    /// The pod's pull secrets, those of its service account where it has none, and the node's own credentials.
    private func keyring(for reference: ImageReference, of pod: Pod) async -> RegistryKeyring {
        var keyring = RegistryKeyring()
        let namespace = pod.metadata.namespace ?? ""
        var missing: [String] = []
        for name in await pullSecretNames(of: pod) {
            let secret: Secret?
            do throws(VolumeError) {
                secret = try await objects(of: pod).secret(namespace: namespace, name: name)
            } catch { secret = nil }
            guard let secret else {
                missing.append(name)
                continue
            }
            do throws(ImageError) {
                keyring.append(try Self.keyring(of: secret, namespace: namespace, name: name))
            } catch {
                record(.warning, "FailedToRetrieveImagePullSecret", error.message, of: pod)
            }
        }
        if !missing.isEmpty {
            record(
                .warning, "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (\(missing.joined(separator: ", "))); attempting to pull the image may not succeed.",
                of: pod)
        }
        do throws(ImageError) { keyring.append(try await parts.nodeCredentials.keyring(for: reference)) } catch {
            logger.warning("the node's registry credentials are not used", metadata: ["error": "\(error)"])
        }
        for problem in keyring.problems {
            logger.warning("a credential provider has given nothing", metadata: ["error": "\(problem)"])
        }
        return keyring
    }

    private func pullSecretNames(of pod: Pod) async -> [String] {
        let own = (pod.spec.imagePullSecrets ?? []).compactMap(\.name).filter { !$0.isEmpty }
        guard own.isEmpty, !pod.isStatic, let serviceAccount = parts.serviceAccount else { return own }
        let account = await serviceAccount(pod.metadata.namespace ?? "", pod.spec.serviceAccountName ?? "default")
        return (account?.imagePullSecrets ?? []).compactMap(\.name).filter { !$0.isEmpty }
    }

    static func keyring(of secret: Secret, namespace: String, name: String) throws(ImageError) -> RegistryKeyring {
        let subject = "secret \"\(namespace)/\(name)\""
        let isLegacy = secret.type == SecretType.dockercfg.rawValue
        guard isLegacy || secret.type == SecretType.dockerConfigJSON.rawValue else {
            throw ImageError(
                .invalidCredentials,
                "\(subject): is of type \"\(secret.type ?? "Opaque")\"; a pull secret is kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg"
            )
        }
        let key = isLegacy ? ".dockercfg" : ".dockerconfigjson"
        guard let bytes = secret.data?[key].flatMap({ Base64.decode($0) }) else {
            throw ImageError(.invalidCredentials, "\(subject): has no \(key)")
        }
        return try RegistryKeyring(
            parsing: bytes, isLegacy: isLegacy,
            source: .secret(namespace: namespace, name: name, uid: secret.metadata.uid ?? ""), subject: subject)
    }
}

/// What a container's image needs before the container can be made.
public enum ImageNeed: Hashable, Sendable {
    case none
    case pull
}
