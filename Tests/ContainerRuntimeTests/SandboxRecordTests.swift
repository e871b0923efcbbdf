import LinuxKernel
import MonitorCore
import Testing

@testable import ContainerRuntime

struct SandboxRecordTests {
    private static func record(ids: IDRange?, labels: [String: String] = [:]) -> SandboxRecord {
        SandboxRecord(
            bootID: "boot",
            sandbox: PodSandbox(
                id: "s", podUID: "u", podNamespace: "ns", podName: "p", attempt: 3, hostname: "h", hostNetwork: false,
                sysctls: ["a": "1", "b": "2"], ids: ids, labels: labels, createdAt: -7,
                directory: "/run/s"))
    }

    @Test("a record comes back as it was", arguments: [nil, IDRange(first: 65_536, count: 65_536)])
    func roundTrip(ids: IDRange?) throws {
        for labels in [[:], ["a": "b", "": "c", "d": ""]] {
            let record = Self.record(ids: ids, labels: labels)
            #expect(try SandboxRecord(decoding: record.encoded(), directory: "/run/s") == record)
        }
    }

    @Test("a record of an earlier agent is one of a sandbox without what that did not know")
    func earlierVersion() throws {
        let record = Self.record(ids: nil)
        // Version 4 added two empty lists, version 3 eight bytes, version 2 two.
        let lists = 8
        for (version, added) in [(3, lists), (2, lists + 8), (1, lists + 10)] as [(UInt8, Int)] {
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
