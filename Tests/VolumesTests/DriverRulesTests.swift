import KubernetesAPI
import Testing

@testable import Volumes

@Suite("What a driver's CSIDriver says")
struct DriverRulesTests {
    private static func rules(_ change: ((inout CSIDriverSpec) -> Void)? = nil) -> DriverRules {
        var driver = CSIDriver()
        driver.applyDefaults()
        change?(&driver.spec)
        return DriverRules("d.example.org", change == nil ? nil : driver)
    }

    private static func volume(isEphemeral: Bool = false) -> DriverVolume {
        var volume = DriverVolume(driver: "d.example.org", handle: "h")
        volume.isEphemeral = isEphemeral
        return volume
    }

    @Test("without one, volumes live apart from pods, may have to be attached, and the driver hears of no pod")
    func absent() throws {
        let rules = Self.rules()
        #expect(rules.isAttached)
        #expect(!rules.tellsPod && !rules.republishes && rules.tokenRequests.isEmpty)
        try rules.check(Self.volume())
        let refused = #expect(throws: VolumeError.self) { try rules.check(Self.volume(isEphemeral: true)) }
        #expect(
            refused?.message
                == "volume mode \"Ephemeral\" not supported by driver d.example.org (no CSIDriver object)")
    }

    @Test("a volume is made only in a way that the driver is for")
    func modes() throws {
        let persistent = Self.rules { _ in }
        try persistent.check(Self.volume())
        let refused = #expect(throws: VolumeError.self) { try persistent.check(Self.volume(isEphemeral: true)) }
        #expect(refused?.message.hasSuffix("(only supports [\"Persistent\"])") == true)
        let both = Self.rules { $0.volumeLifecycleModes = ["Persistent", "Ephemeral"] }
        try both.check(Self.volume())
        try both.check(Self.volume(isEphemeral: true))
        let inline = Self.rules { $0.volumeLifecycleModes = ["Ephemeral"] }
        #expect(throws: VolumeError.self) { try inline.check(Self.volume()) }
    }

    @Test("who gives the files to the pod's group follows the policy, the volume, and what the driver does itself")
    func groups() {
        var shared = Self.volume()
        shared.accessModes = ["ReadWriteMany"]
        var formatted = Self.volume()
        formatted.fileSystem = "ext4"
        var formattedShared = shared
        formattedShared.fileSystem = "ext4"
        let volumes = [Self.volume(), shared, formatted, formattedShared]
        func given(_ policy: String?, driverDoes: Bool = false) -> [Bool] {
            let rules = policy.map { policy in Self.rules { $0.fsGroupPolicy = policy } } ?? Self.rules()
            return volumes.map { rules.givesToGroup($0, driverDoes: driverDoes) }
        }
        #expect(given(nil) == [false, false, true, false])
        #expect(given("ReadWriteOnceWithFSType") == [false, false, true, false])
        #expect(given("File") == [true, true, true, true])
        #expect(given("None") == [false, false, false, false])
        #expect(given("File", driverDoes: true) == [false, false, false, false])
        var device = formatted
        device.isBlock = true
        #expect(!Self.rules { $0.fsGroupPolicy = "File" }.givesToGroup(device, driverDoes: false))
    }

    @Test("a volume that is to be attached is ready when it is, with what was said then")
    func attachments() throws {
        let rules = Self.rules { _ in }
        func context(_ attachment: KubernetesAPI.VolumeAttachment?, isAwaited: Bool) throws -> [String: String]? {
            try rules.publishContext(of: Self.volume(), attachment: attachment, name: "csi-1", isAwaited: isAwaited)
        }
        #expect(try context(nil, isAwaited: false) == nil)
        let missing = #expect(throws: VolumeError.self) { try context(nil, isAwaited: true) }
        #expect(missing?.message.contains("volumeattachment \"csi-1\" not found") == true)
        #expect(missing?.message.contains("attachRequired: false") == true)
        var attachment = KubernetesAPI.VolumeAttachment()
        #expect(throws: VolumeError.self) { try context(attachment, isAwaited: false) }
        var status = VolumeAttachmentStatus()
        var problem = VolumeAttachmentError()
        problem.message = "no free slot"
        status.attachError = problem
        attachment.status = status
        let waiting = #expect(throws: VolumeError.self) { try context(attachment, isAwaited: true) }
        #expect(waiting?.message.hasSuffix(": no free slot") == true)
        status.attached = true
        status.attachmentMetadata = ["device": "/dev/sdx"]
        attachment.status = status
        #expect(try context(attachment, isAwaited: true) == ["device": "/dev/sdx"])
        #expect(!Self.rules { $0.attachRequired = false }.isAttached)
    }

    @Test("tokens are told by audience, with their end")
    func tokens() {
        let end = Timestamp(seconds: 0)
        #expect(
            DriverRules.tokensText(["vault": ("abc", end), "": ("def", end)])
                == #"{"":{"expirationTimestamp":"1970-01-01T00:00:00Z","token":"def"},"#
                + #""vault":{"expirationTimestamp":"1970-01-01T00:00:00Z","token":"abc"}}"#)
    }

    @Test("the driver hears of the pod in Kubernetes' words")
    func facts() {
        let pod = Pod(
            metadata: ObjectMeta(name: "web", namespace: "shop", uid: "u"),
            spec: PodSpec(containers: [], serviceAccountName: "seller"))
        #expect(
            DriverRules.podFacts(pod, isEphemeral: false) == [
                "csi.storage.k8s.io/pod.name": "web", "csi.storage.k8s.io/pod.namespace": "shop",
                "csi.storage.k8s.io/pod.uid": "u", "csi.storage.k8s.io/serviceAccount.name": "seller",
                "csi.storage.k8s.io/ephemeral": "false",
            ])
    }
}
