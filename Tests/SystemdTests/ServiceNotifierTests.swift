import Glibc
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Systemd

extension SystemdEnvironment {
    @Suite(.serialized) struct ServiceNotifierTests {
        private let notifier = ServiceNotifier(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

        @Test("readiness and its status arrive in one datagram")
        func ready() throws {
            let socket = try NotifySocket()
            #expect(notifier.isManaged)
            notifier.ready(status: "node n1 is ready")
            #expect(socket.receive() == "READY=1\nSTATUS=node n1 is ready")
            #expect(socket.receive() == nil)
        }

        @Test("a reload carries the monotonic time, which the manager demands")
        func reloading() throws {
            let socket = try NotifySocket()
            notifier.reloading()
            let text = try #require(socket.receive())
            let lines = text.split(separator: "\n")
            try #require(lines.count == 2)
            #expect(lines[0] == "RELOADING=1")
            let microseconds = try #require(UInt64(lines[1].dropFirst("MONOTONIC_USEC=".count)))
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            #expect(microseconds > 0 && microseconds / 1_000_000 <= UInt64(now.tv_sec))
        }

        @Test("stopping, status and watchdog arrive as they are")
        func others() throws {
            let socket = try NotifySocket()
            notifier.stopping(status: "bye")
            notifier.status("3 pods")
            notifier.watchdog()
            #expect(socket.receive() == "STOPPING=1\nSTATUS=bye")
            #expect(socket.receive() == "STATUS=3 pods")
            #expect(socket.receive() == "WATCHDOG=1")
        }

        @Test("without a service manager nothing is sent and nothing is logged")
        func unmanaged() {
            unsetenv("NOTIFY_SOCKET")
            let events = RecordingLogHandler()
            let notifier = ServiceNotifier(logger: Logger(label: "test") { _ in events })
            notifier.ready()
            #expect(!notifier.isManaged)
            #expect(events.messages == [])
        }

        @Test("a manager that is gone is logged with the reason, and harms nothing")
        func managerGone() {
            setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
            defer { unsetenv("NOTIFY_SOCKET") }
            let events = RecordingLogHandler()
            ServiceNotifier(logger: Logger(label: "test") { _ in events }).ready()
            #expect(events.messages == ["the service manager could not be notified"])
        }

        @Test("the watchdog's interval is the manager's, and only for this process")
        func interval() {
            defer {
                unsetenv("WATCHDOG_USEC")
                unsetenv("WATCHDOG_PID")
            }
            #expect(ServiceNotifier.watchdogInterval == nil)
            setenv("WATCHDOG_USEC", "60000000", 1)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            #expect(ServiceNotifier.watchdogInterval == .seconds(60))
            setenv("WATCHDOG_PID", "1", 1)
            #expect(ServiceNotifier.watchdogInterval == nil)
        }

        @Test("the watchdog is fed twice per interval while healthy, not at all while ill, and again after recovery")
        func watchdogLoop() async throws {
            let socket = try NotifySocket()
            let clock = ManualClock()
            var sleeps = clock.sleeps.makeAsyncIterator()
            let health = Health()
            await withTaskGroup { group in
                group.addTask { [notifier] in
                    await notifier.runWatchdog(interval: .seconds(60), clock: clock) {
                        health.isGood.load(ordering: .sequentiallyConsistent)
                    }
                }
                #expect(await sleeps.next(isolation: nil) == .seconds(30))
                #expect(socket.receive() == "WATCHDOG=1")

                health.isGood.store(false, ordering: .sequentiallyConsistent)
                clock.advance(by: .seconds(30))
                #expect(await sleeps.next(isolation: nil) == .seconds(30))
                #expect(socket.receive() == nil)

                health.isGood.store(true, ordering: .sequentiallyConsistent)
                clock.advance(by: .seconds(30))
                #expect(await sleeps.next(isolation: nil) == .seconds(30))
                #expect(socket.receive() == "WATCHDOG=1")
                group.cancelAll()
            }
            #expect(socket.receive() == nil)
        }

        @Test("without a watchdog the loop runs until it is cancelled, and sends nothing")
        func noWatchdog() async throws {
            let socket = try NotifySocket()
            await withTaskGroup { group in
                group.addTask { [notifier] in
                    await notifier.runWatchdog(interval: nil, clock: ManualClock()) { true }
                }
                group.cancelAll()
            }
            #expect(socket.receive() == nil)
        }
    }
}

/// What the health check of a test answers.
private final class Health: Sendable {
    let isGood = Atomic(true)
}
