import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("The status column of pods")
struct PodTableTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        let pod: String
        /// Ready, status, restarts.
        let cells: [String]
    }

    static let cases = [
        Case(
            description: "pending", pod: #"{"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Pending"}}"#,
            cells: ["0/1", "Pending", "0"]),
        Case(
            description: "running and ready",
            pod: #"""
                {"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Running","containerStatuses":[
                {"name":"a","ready":true,"restartCount":0,"state":{"running":{}}}]}}
                """#, cells: ["1/1", "Running", "0"]),
        Case(
            description: "crash loop with restarts",
            pod: #"""
                {"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Running","containerStatuses":[
                {"name":"a","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},
                "lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-01-01T00:00:00Z"}}}]}}
                """#, cells: ["0/1", "CrashLoopBackOff", "3 (60s ago)"]),
        Case(
            description: "init container in progress",
            pod: #"""
                {"spec":{"initContainers":[{"name":"i"},{"name":"j"}],"containers":[{"name":"a"}]},
                "status":{"phase":"Pending","initContainerStatuses":[
                {"name":"i","restartCount":0,"state":{"terminated":{"exitCode":0}}},
                {"name":"j","restartCount":0,"state":{"running":{}}}],
                "containerStatuses":[{"name":"a","restartCount":0,"state":{"waiting":{"reason":"PodInitializing"}}}]}}
                """#, cells: ["0/1", "Init:1/2", "0"]),
        Case(
            description: "init container crashing",
            pod: #"""
                {"spec":{"initContainers":[{"name":"i"}],"containers":[{"name":"a"}]},
                "status":{"phase":"Pending","initContainerStatuses":[
                {"name":"i","restartCount":2,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}
                """#, cells: ["0/1", "Init:CrashLoopBackOff", "2"]),
        Case(
            description: "init container ended by a signal",
            pod: #"""
                {"spec":{"initContainers":[{"name":"i"}],"containers":[{"name":"a"}]},
                "status":{"phase":"Pending","initContainerStatuses":[
                {"name":"i","restartCount":0,"state":{"terminated":{"exitCode":137,"signal":9}}}]}}
                """#, cells: ["0/1", "Init:Signal:9", "0"]),
        Case(
            description: "sidecar counts among the containers",
            pod: #"""
                {"spec":{"initContainers":[{"name":"s","restartPolicy":"Always"}],"containers":[{"name":"a"}]},
                "status":{"phase":"Running","initContainerStatuses":[
                {"name":"s","ready":true,"started":true,"restartCount":1,"state":{"running":{}}}],
                "containerStatuses":[{"name":"a","ready":true,"restartCount":2,"state":{"running":{}}}]}}
                """#, cells: ["2/2", "Running", "3"]),
        Case(
            description: "completed",
            pod: #"""
                {"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Succeeded","containerStatuses":[
                {"name":"a","restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}}
                """#, cells: ["0/1", "Completed", "0"]),
        Case(
            description: "one completed, one running, not ready",
            pod: #"""
                {"spec":{"containers":[{"name":"a"},{"name":"b"}]},"status":{"phase":"Running","containerStatuses":[
                {"name":"a","restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}},
                {"name":"b","ready":true,"restartCount":0,"state":{"running":{}}}]}}
                """#, cells: ["1/2", "NotReady", "0"]),
        Case(
            description: "ended without a reason",
            pod: #"""
                {"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Failed","containerStatuses":[
                {"name":"a","restartCount":0,"state":{"terminated":{"exitCode":3}}}]}}
                """#, cells: ["0/1", "ExitCode:3", "0"]),
        Case(
            description: "being deleted",
            pod: #"""
                {"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"a"}]},
                "status":{"phase":"Running"}}
                """#, cells: ["0/1", "Terminating", "0"]),
        Case(
            description: "deleted after it had ended",
            pod: #"""
                {"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"a"}]},
                "status":{"phase":"Failed","reason":"Evicted"}}
                """#, cells: ["0/1", "Evicted", "0"]),
        Case(
            description: "held by a gate",
            pod: #"""
                {"spec":{"containers":[{"name":"a"}]},"status":{"phase":"Pending","conditions":[
                {"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]}}
                """#, cells: ["0/1", "SchedulingGated", "0"]),
    ]

    @Test("says in one word what the pod is doing", arguments: cases)
    func status(testCase: Case) throws {
        let now = try #require(Timestamp(rfc3339: "2026-01-01T00:01:00Z"))
        let pod = try JSONValue(parsing: testCase.pod.utf8)
        let cells = PodTable.cells(pod, now: now)
        #expect(cells[1...3].map { $0.stringValue ?? "?" } == testCase.cells)
    }

    @Test(
        "ages get coarser as they grow",
        arguments: [
            (Int64(-5), "<invalid>"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (600, "10m"),
            (10_799, "179m"), (10_800, "3h"), (11_460, "3h11m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"),
            (180_000, "2d2h"), (691_200, "8d"), (63_071_999, "729d"), (63_072_000, "2y"), (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ])
    func ages(seconds: Int64, text: String) {
        #expect(HumanDuration.text(seconds: seconds) == text)
    }
}
