import KubernetesAPI
import LinuxKernel
import Logging
import Testing

@testable import ControlEndpoint

struct AuditLogTests {
    @Test("what is recorded is written by the end, and what does not fit is left out, not waited for")
    func bounded() async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { try? FileSystem.removeTree(directory) }
        let path = directory + "/audit.log"
        let log = AuditLog(AuditConfiguration(level: .metadata, path: path), logger: Logger(label: "test"))
        for _ in 0..<AuditLog.queueLimit + 10 {
            log.record(
                AuditEvent(
                    level: .metadata, stage: .responseComplete, method: "GET", target: "/api/v1/pods", identity: nil,
                    source: "", userAgent: "", status: 401, received: Timestamp(seconds: 1),
                    answered: Timestamp(seconds: 1)))
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            group.cancelAll()
        }
        #expect(try FileSystem.readText(path, limit: 16 << 20).split(separator: "\n").count == AuditLog.queueLimit)
    }
}
