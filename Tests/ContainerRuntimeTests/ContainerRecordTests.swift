import LinuxKernel
import MonitorCore
import Testing

@testable import ContainerRuntime

struct ContainerRecordTests {
    /// Every field that is on the wire differs from its default.
    private static let full = ContainerRecord(
        id: "0123abcd", bootID: "boot", createdAt: -5,
        config: ContainerConfig(
            sandboxID: "s",
            metadata: ContainerMetadata(
                podUID: "uid", podNamespace: "ns", podName: "pod\u{e4}", name: "c", attempt: .max),
            image: "example.test/a:1", imageID: "sha256:00", rootLayers: ["/l/1", "/l/2"], arguments: ["sh", "", "-c"],
            environment: ["A=1", "B="], workingDirectory: "/w", userID: 1, groupID: 2, supplementaryGroups: [3, .max],
            mounts: [
                ContainerMount(
                    hostPath: "/h", containerPath: "/c", isFile: true, readOnly: true, readOnlyBelow: false,
                    propagation: .bidirectional),
                ContainerMount(hostPath: "/i", containerPath: "/d", propagation: .hostToContainer),
            ],
            capabilities: CapabilitySet([.KILL]), privileged: true, isProcUnmasked: true, noNewPrivileges: true,
            seccomp: .unconfined,
            readOnlyRoot: true, resourceLimits: [ResourceLimit(resource: 7, soft: 1, hard: .max)],
            outOfMemoryScore: -997, cgroupPath: "kubepods/c", logPath: "/log", isSandboxProcess: true,
            labels: ["a": "1", "b": "2"]))

    private static let plain = ContainerRecord(
        id: "", bootID: "", createdAt: 0,
        config: ContainerConfig(
            sandboxID: "",
            metadata: ContainerMetadata(podUID: "", podNamespace: "", podName: "", name: "", attempt: 0),
            arguments: [], cgroupPath: "", logPath: ""))

    /// With what later versions added.
    private static let extended = {
        var record = full
        record.config.seccomp = .localhost("profiles/a.json")
        record.config.appArmorProfile = "a profile"
        record.config.isTerminal = true
        record.config.keepsInput = true
        record.config.closesInputAfterFirst = true
        record.config.hasAttachments = true
        return record
    }()

    @Test("a record of the second version is read, with the defaults of its time")
    func secondVersion() throws {
        var bytes = Self.full.encoded()
        // The count of later fields is the last thing in it.
        #expect(bytes.suffix(4) == [0, 0, 0, 0])
        bytes.removeLast(4)
        bytes[0] = 2
        #expect(try ContainerRecord(decoding: bytes) == Self.full)
    }

    @Test("a record from before attachments says that its monitor has none; each flag of one that has them is its own")
    func streams() throws {
        #expect(try !ContainerRecord(decoding: Self.full.encoded()).config.hasAttachments)
        var record = Self.full
        record.config.hasAttachments = true
        for flags in 0..<8 {
            record.config.isTerminal = flags & 1 != 0
            record.config.keepsInput = flags & 2 != 0
            record.config.closesInputAfterFirst = flags & 4 != 0
            #expect(try ContainerRecord(decoding: record.encoded()) == record)
        }
    }

    @Test("a later field that is not known is an error: what it asks for could not be kept to")
    func unknownField() {
        var bytes = Self.full.encoded()
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [1, 0, 0, 0, 250, 0, 0, 0, 0])
        let error = #expect(throws: WireError.self) { try ContainerRecord(decoding: bytes) }
        #expect(error?.code == .unknownTag)
    }

    @Test("a record comes back as it was", arguments: [full, plain, extended])
    private func roundTrip(record: ContainerRecord) throws {
        #expect(try ContainerRecord(decoding: record.encoded()) == record)
    }

    @Test("the same record gives the same bytes, whatever the order of its labels")
    func deterministic() {
        var other = Self.full
        other.config.labels = [:]
        for (key, value) in [("b", "2"), ("a", "1")] { other.config.labels[key] = value }
        #expect(other.encoded() == Self.full.encoded())
    }

    @Test("a record cut short at any byte is an error")
    func truncated() {
        let bytes = Self.extended.encoded()
        for length in 0..<bytes.count {
            #expect(throws: WireError.self, "\(length) bytes") {
                try ContainerRecord(decoding: Array(bytes.prefix(length)))
            }
        }
    }

    @Test("a record of the first version is read as what was meant then")
    func firstVersion() throws {
        var old = Self.full
        for index in old.config.mounts.indices { old.config.mounts[index].readOnlyBelow = true }
        (old.config.isProcUnmasked, old.config.isSandboxProcess) = (false, false)
        // It ended before one byte for each mount, two more, and the count of later fields.
        var bytes = Array(old.encoded().dropLast(old.config.mounts.count + 2 + 4))
        bytes[0] = 1
        #expect(try ContainerRecord(decoding: bytes) == old)
    }

    @Test("a byte too many is an error")
    func trailing() {
        let error = #expect(throws: WireError.self) { try ContainerRecord(decoding: Self.full.encoded() + [0]) }
        #expect(error?.code == .trailingBytes)
    }

    @Test("another version is refused", arguments: [0, 4, 255] as [UInt8])
    func version(version: UInt8) {
        var bytes = Self.full.encoded()
        bytes[0] = version
        let error = #expect(throws: WireError.self) { try ContainerRecord(decoding: bytes) }
        #expect(error?.code == .badVersion)
    }

    @Test(
        "any byte changed gives a record or an error, never a trap, and what decodes encodes", arguments: [0, 127, 255])
    func corrupted(value: UInt8) throws {
        let original = Self.extended.encoded()
        var refused = 0
        for index in original.indices {
            var bytes = original
            bytes[index] = value
            do throws(WireError) {
                let record = try ContainerRecord(decoding: bytes)
                #expect(try ContainerRecord(decoding: record.encoded()) == record, "byte \(index)")
            } catch {
                refused += 1
            }
        }
        // At least every length of a text that is claimed to be beyond the end.
        #expect(refused > 0 || value == 0)
    }

    @Test(
        "bytes that are no record are an error",
        arguments: [[], [1], [1, 255, 255, 255, 255], Array(repeating: 1, count: 64)])
    func garbage(bytes: [UInt8]) {
        #expect(throws: WireError.self) { try ContainerRecord(decoding: bytes) }
    }
}
