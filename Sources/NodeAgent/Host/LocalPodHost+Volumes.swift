import ContainerRuntime
public import KubernetesAPI
import LinuxKernel
import Volumes

extension LocalPodHost {
    /// How soon files that could not be brought up to date are tried again, though nothing has changed.
    private static let refreshRetryInterval = Duration.seconds(60)
    /// Between two looks at volumes whose driver wants to be asked again (`requiresRepublish`), or that can grow: a kubelet does with
    /// each sync. No node may watch claims.
    private static let revisitInterval = Duration.seconds(60)

    public func mountVolumes(of pod: Pod) async throws(PodHostError) {
        let uid = pod.metadata.uid ?? ""
        guard memory(uid).volumes == nil else { return }
        follow(pod)
        let images = try await volumeImages(of: pod)
        do throws(VolumeError) {
            let mounted = try await volumes(of: pod).mount(pod, ids: await ids(of: pod), images: images)
            let due = await nextRefresh(of: pod)
            remember(uid) {
                $0.volumes = mounted
                $0.freshness.ended(dueAt: due)
            }
            reportClaims(of: pod)
        } catch { throw PodHostError(reason: "FailedMount", message: "\(error)") }
    }

    public func hasVolumeNews(of pod: Pod) async -> Bool {
        let memory = memory(pod.metadata.uid ?? "")
        return memory.volumes == nil && memory.freshness.isStale
    }

    public func refreshVolumes(of pod: Pod) async throws(PodHostError) -> Duration? {
        let uid = pod.metadata.uid ?? ""
        let (freshness, facts, now) = (memory(uid).freshness, VolumeFreshness.Facts(pod), uptime.elapsed)
        guard freshness.isDue(facts, now: now) else { return freshness.nextLook().map { max(.zero, $0 - now) } }
        follow(pod)
        do throws(VolumeError) { try await volumes(of: pod).refresh(pod, ids: await ids(of: pod)) } catch {
            remember(uid) { $0.freshness.ended(dueAt: now + Self.refreshRetryInterval) }
            throw PodHostError(
                reason: error.code == .expansion ? "VolumeResizeFailed" : "FailedMount", message: "\(error)")
        }
        let due = await nextRefresh(of: pod)
        remember(uid) { $0.freshness.ended(dueAt: due) }
        return due.map { max(.zero, $0 - uptime.elapsed) }
    }

    /// Files of manifests have changed.
    public func localObjectsChanged() {
        for uid in staleStaticPods() { change.yield(uid) }
    }

    /// From now on changes of what the pod's files show are heard of. Before they are read: none falls in between.
    private func follow(_ pod: Pod) {
        let uid = pod.metadata.uid ?? ""
        remember(uid) {
            $0.isStatic = pod.isStatic
            $0.freshness.begin(VolumeFreshness.Facts(pod))
        }
        parts.followed?.follow(
            PodObjectNames(followedBy: pod), namespace: pod.metadata.namespace ?? "", podUID: uid)
    }

    /// Nothing of the pod runs any more.
    func unfollow(_ uid: String) {
        parts.followed?.follow(PodObjectNames(), namespace: "", podUID: uid)
        parts.tokens?.forget(podUID: uid)
    }

    /// Carries news of followed objects on, until cancelled.
    func followObjects() async {
        guard let followed = parts.followed else { return }
        for await uid in followed.changes {
            guard knowsVolumes(of: uid) else { continue }
            remember(uid) { $0.freshness.changed() }
            change.yield(uid)
        }
    }

    /// Each is a request to the server, of which the sandbox takes none: they are under way while it is made. A failure is for
    /// the mount to tell, which asks again.
    func fetchTokens(of pod: Pod) async {
        guard let tokens = parts.tokens, !pod.isStatic else { return }
        for key in PodObjectNames(followedBy: pod).tokens { _ = try? await tokens.token(key) }
    }

    /// Even if nobody tells of a change; nil when only a change makes it necessary.
    private func nextRefresh(of pod: Pod) async -> Duration? {
        let uid = pod.metadata.uid ?? ""
        let revisit = await volumes(of: pod).isRevisited(podUID: uid) ? uptime.elapsed + Self.revisitInterval : nil
        return [tokenRenewal(uid), revisit].compactMap(\.self).min()
    }

    private func tokenRenewal(_ uid: String) -> Duration? {
        parts.tokens?.secondsUntilRenewal(podUID: uid).map { uptime.elapsed + .seconds($0) }
    }

    /// Host ids of the pod's user namespace.
    private func ids(of pod: Pod) async -> IDRange? {
        await parts.runtime.readySandbox(ofPod: pod.metadata.uid ?? "")?.ids
    }
}

extension VolumeFreshness.Facts {
    init(_ pod: Pod) { self.init(labels: pod.metadata.labels, annotations: pod.metadata.annotations) }
}
