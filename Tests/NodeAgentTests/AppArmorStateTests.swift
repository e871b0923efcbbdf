import ContainerRuntime
import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("AppArmor profiles of containers")
struct AppArmorStateTests {
    private static let prefix = "container.apparmor.security.beta.kubernetes.io/"

    /// - Parameters:
    ///   - profile: of the container, `Localhost:p`; likewise of the pod.
    private static func pod(
        _ profile: String? = nil, annotation: String? = nil, ofPod podProfile: String? = nil, isPrivileged: Bool = false
    ) -> Pod {
        func parse(_ text: String?) -> AppArmorProfile? {
            text.map { text in
                let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
                return AppArmorProfile(type: parts[0], localhostProfile: parts.count > 1 ? parts[1] : nil)
            }
        }
        var pod = Pod(
            metadata: ObjectMeta(name: "p", namespace: "default", uid: "u"),
            spec: PodSpec(containers: [Container(name: "c", image: "i")]))
        pod.metadata.annotations = annotation.map { [prefix + "c": $0, prefix + "other": "localhost/not-ours"] }
        pod.spec.containers[0].securityContext = SecurityContext(
            privileged: isPrivileged, appArmorProfile: parse(profile))
        pod.spec.securityContext = PodSecurityContext(appArmorProfile: parse(podProfile))
        return pod
    }

    private static let all = AppArmorState(host: AppArmorHost(isEnabled: true), loaded: ["mine", "of pod"])

    private static func profile(_ pod: Pod, _ state: AppArmorState = all) throws(AppArmorProblem) -> String? {
        try state.profile(
            for: AppArmorRequest(of: pod.spec.containers[0], in: pod),
            isPrivileged: pod.spec.containers[0].securityContext?.privileged == true)
    }

    @Test("the container's field counts before its annotation, and that before the pod's field")
    func precedence() throws {
        #expect(try Self.profile(Self.pod(ofPod: "Localhost:of pod")) == "of pod")
        #expect(try Self.profile(Self.pod(annotation: "localhost/mine", ofPod: "Localhost:of pod")) == "mine")
        #expect(
            try Self.profile(Self.pod("Unconfined", annotation: "localhost/mine", ofPod: "Localhost:of pod")) == nil)
        #expect(try Self.profile(Self.pod("Localhost:mine", annotation: "unconfined")) == "mine")
        #expect(try Self.profile(Self.pod(annotation: "unconfined", ofPod: "Localhost:of pod")) == nil)
        #expect(try Self.profile(Self.pod(annotation: "runtime/default")) == "swiftlet-default")
    }

    @Test("a container that names none has the default one, unless it is privileged or there is none")
    func unset() throws {
        #expect(try Self.profile(Self.pod()) == "swiftlet-default")
        #expect(try Self.profile(Self.pod(isPrivileged: true)) == nil)
        #expect(try Self.profile(Self.pod("RuntimeDefault", isPrivileged: true)) == nil)
        #expect(try Self.profile(Self.pod("Localhost:mine", isPrivileged: true)) == "mine")
        let without = AppArmorState(host: AppArmorHost(isEnabled: true, defaultProfileProblem: "no parser"))
        #expect(try Self.profile(Self.pod(), without) == nil)
        #expect(try Self.profile(Self.pod(), AppArmorState()) == nil)
    }

    private static func message(_ pod: Pod, _ state: AppArmorState) -> String? {
        let rejection = PodAdmission.refusalOfAppArmor(pod, state)
        #expect(rejection == nil || rejection?.reason == "AppArmor")
        return rejection?.message
    }

    @Test(
        "a pod that asks for a profile is rejected where the host has no AppArmor",
        arguments: ["RuntimeDefault", "Localhost:mine"])
    func absent(profile: String) {
        let expected = "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host"
        #expect(Self.message(Self.pod(profile), AppArmorState()) == expected)
        #expect(Self.message(Self.pod(ofPod: profile), AppArmorState()) == expected)
        #expect(Self.message(Self.pod(annotation: "runtime/default"), AppArmorState()) == expected)
        #expect(Self.message(Self.pod("Unconfined", ofPod: profile), AppArmorState()) == nil)
        #expect(Self.message(Self.pod(), AppArmorState()) == nil)
    }

    @Test("a profile that is not loaded, or is no name, is rejected with its name")
    func unknown() {
        let prefix = "Pod was rejected: Cannot enforce AppArmor: "
        #expect(Self.message(Self.pod("Localhost:theirs"), Self.all) == prefix + "profile \"theirs\" is not loaded")
        #expect(
            Self.message(Self.pod(annotation: "bogus"), Self.all)
                == prefix + "invalid AppArmor profile name: \"bogus\"")
        #expect(Self.message(Self.pod("Localhost:a\nb"), Self.all)?.contains("invalid AppArmor profile name") == true)
        let without = AppArmorState(host: AppArmorHost(isEnabled: true, defaultProfileProblem: "no parser"))
        #expect(Self.message(Self.pod("RuntimeDefault"), without)?.contains("no parser") == true)
        #expect(Self.message(Self.pod(), without) == nil)
        var pod = Self.pod()
        pod.spec.initContainers = [
            Container(
                name: "i", image: "i",
                securityContext: SecurityContext(
                    appArmorProfile: AppArmorProfile(type: "Localhost", localhostProfile: "theirs")))
        ]
        #expect(Self.message(pod, Self.all) == prefix + "profile \"theirs\" is not loaded")
    }
}
