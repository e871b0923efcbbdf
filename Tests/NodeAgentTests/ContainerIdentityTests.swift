import ContainerImages
import KubernetesAPI
import Testing

@testable import NodeAgent

struct ContainerIdentityTests {
    private static let image = ImageUser(uid: 1000, gid: 1001, supplementaryGroups: [50000], home: "/home/alice")

    private static func resolve(
        pod podContext: PodSecurityContext? = nil, container context: SecurityContext? = nil,
        image: ImageUser = image, text: String = "1000"
    ) throws -> ContainerIdentity {
        let container = Container(name: "c", securityContext: context)
        let pod = Pod(
            metadata: ObjectMeta(name: "p", namespace: "ns", uid: "u"),
            spec: PodSpec(containers: [container], securityContext: podContext))
        return try ContainerIdentity.resolve(pod, container, imageUser: image, imageUserText: text)
    }

    private static func sought(_ podUser: Int64?, _ user: Int64?) throws -> String {
        let container = Container(name: "c", securityContext: SecurityContext(runAsUser: user))
        let pod = Pod(
            spec: PodSpec(containers: [container], securityContext: PodSecurityContext(runAsUser: podUser)))
        return try ContainerIdentity.userText(pod, container, imageUserText: "app:staff")
    }

    @Test("the container's user comes before the pod's, and that before the image's")
    func user() throws {
        #expect(try Self.sought(nil, nil) == "app:staff")
        #expect(try Self.sought(5, nil) == "5")
        #expect(try Self.sought(5, 6) == "6")
        #expect(throws: ContainerConfigError.self) { try Self.sought(nil, -1) }
    }

    // The example of Kubernetes' documentation of supplementalGroupsPolicy.
    @Test(
        "groups are the main one, the image's unless the policy is Strict, and those of the pod",
        arguments: [
            ("Merge", [3000, 50000, 4000]), (nil, [3000, 50000, 4000]), ("Strict", [3000, 4000]),
        ] as [(String?, [UInt32])])
    func groups(policy: String?, expected: [UInt32]) throws {
        let identity = try Self.resolve(
            pod: PodSecurityContext(
                runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], supplementalGroupsPolicy: policy))
        #expect(identity.userID == 1000)
        #expect(identity.groupID == 3000)
        #expect(identity.supplementaryGroups == expected)
    }

    @Test("fsGroup is one of the groups, and none is there twice")
    func fsGroup() throws {
        let identity = try Self.resolve(pod: PodSecurityContext(supplementalGroups: [7, 1001, 9], fsGroup: 7))
        #expect(identity.supplementaryGroups == [1001, 50000, 7, 9])
    }

    @Test("a group without a user goes with the image's user")
    func groupAlone() throws {
        let identity = try Self.resolve(container: SecurityContext(runAsGroup: 77))
        #expect(identity.userID == 1000)
        #expect(identity.groupID == 77)
        #expect(identity.home == "/home/alice")
    }

    @Test(
        "root is refused where it must not be, with the reason",
        arguments: [
            (nil, "0", 0, "container has runAsNonRoot and image will run as root"),
            (nil, "", 0, "container has runAsNonRoot and image will run as root"),
            (nil, ":5", 0, "container has runAsNonRoot and image will run as root"),
            (nil, "root", 0, "has non-numeric user (root), cannot verify user is non-root"),
            (nil, "alice:staff", 1000, "has non-numeric user (alice), cannot verify user is non-root"),
            (nil, "1000abc", 1000, "has non-numeric user (1000abc), cannot verify user is non-root"),
            (0, "1000", 0, "container's runAsUser breaks non-root policy"),
        ] as [(Int64?, String, UInt32, String)])
    func nonRoot(user: Int64?, text: String, uid: UInt32, message: String) {
        let image = ImageUser(uid: uid, gid: 0, supplementaryGroups: [], home: "/")
        let error = #expect(throws: ContainerConfigError.self) {
            try Self.resolve(
                pod: PodSecurityContext(runAsNonRoot: true), container: SecurityContext(runAsUser: user), image: image,
                text: text)
        }
        #expect(error?.message.contains(message) == true)
        #expect(error?.message.hasSuffix("(pod: \"p_ns(u)\", container: c)") == true)
    }

    @Test("a number that is not root is taken, and the container may say that root is fine")
    func nonRootTaken() throws {
        let mustNot = PodSecurityContext(runAsNonRoot: true)
        #expect(try Self.resolve(pod: mustNot).userID == 1000)
        #expect(try Self.resolve(pod: mustNot, text: "1000:alice").userID == 1000)
        let root = ImageUser(uid: 0, gid: 0, supplementaryGroups: [], home: "/root")
        let allowed = SecurityContext(runAsNonRoot: false)
        #expect(try Self.resolve(pod: mustNot, container: allowed, image: root, text: "").userID == 0)
        #expect(try Self.resolve(pod: mustNot, container: SecurityContext(runAsUser: 5), text: "root").userID == 1000)
    }
}
