import LinuxKernel
import MonitorCore
import Testing

@testable import ContainerRuntime

struct SandboxRecordTests {
    private static func record(ids: IDRange?) -> SandboxRecord {
        SandboxRecord(
            bootID: "boot",
            sandbox: PodSandbox(
                id: "s", podUID: "u", podNamespace: "ns", podName: "p", attempt: 3, hostname: "h", hostNetwork: false,
                sysctls: ["a": "1", "b": "2"], ids: ids, createdAt: -7, directory: "/run/s"))
    }

    @Test("a record comes back as it was", arguments: [nil, IDRange(first: 65_536, count: 65_536)])
    func roundTrip(ids: IDRange?) throws {
        let record = Self.record(ids: ids)
        #expect(try SandboxRecord(decoding: record.encoded(), directory: "/run/s") == record)
    }

    @Test("a record of an agent without user namespaces is one of a sandbox without")
    func earlierVersion() throws {
        let record = Self.record(ids: nil)
        // Version 3 added eight bytes, version 2 two.
        for (version, added) in [(2, 8), (1, 10)] as [(UInt8, Int)] {
            var bytes = Array(record.encoded().dropLast(added))
            bytes[0] = version
            #expect(try SandboxRecord(decoding: bytes, directory: "/run/s") == record)
        }
    }

    @Test("a record cut short at any byte, or of a later version, is an error")
    func damaged() {
        let bytes = Self.record(ids: IDRange(first: 65_536, count: 65_536)).encoded()
        for length in bytes.indices {
            #expect(throws: WireError.self, "\(length)") {
                try SandboxRecord(decoding: Array(bytes[..<length]), directory: "")
            }
        }
        #expect(throws: WireError(.badVersion, offset: 0)) {
            try SandboxRecord(decoding: [SandboxRecord.wireVersion + 1] + bytes.dropFirst(), directory: "")
        }
    }
}
