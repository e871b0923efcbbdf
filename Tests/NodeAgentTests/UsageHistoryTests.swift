import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import Testing

@testable import NodeAgent

@Suite struct UsageHistoryTests {
    private static let start = Timestamp(seconds: 1_000_000)

    /// A node that has used `cores` since the start, and a pod with one container that used half of it.
    private func report(_ milliseconds: Int64, cores: Double = 1, pod startedAt: Int64? = nil) -> UsageReport {
        var report = UsageReport(time: Self.start.advanced(by: .milliseconds(milliseconds)))
        let used = UInt64(Double(milliseconds) * 1e6 * cores)
        report.node.usage.cpuUsageNanoseconds = used
        guard let startedAt else { return report }
        var usage = CgroupUsage()
        usage.cpuUsageNanoseconds = UInt64(Double(milliseconds - startedAt) * 1e6 * cores / 2)
        let started = Self.start.advanced(by: .milliseconds(startedAt))
        report.pods = [
            UsageReport.PodEntry(
                uid: "u", namespace: "default", name: "p", cgroupPath: "kubepods/podu", startedAt: started, usage: usage
            )
        ]
        return report
    }

    @Test("the first reading has no rate, the second one over the time between")
    func first() {
        var history = UsageHistory()
        #expect(history.rates(of: report(0)) == nil)
        let rates = history.rates(of: report(2000))
        #expect(rates?.window == .seconds(2) && rates?.node == 1_000_000_000)
    }

    @Test("a reading too close to the one before gives no rate of its own")
    func close() {
        var history = UsageHistory()
        #expect(history.rates(of: report(0)) == nil)
        #expect(history.rates(of: report(300)) == nil)
        #expect(history.rates(of: report(700))?.window == .milliseconds(700))
    }

    @Test("somebody who reads ten times a second does not spoil the rates of others, nor fill the memory")
    func crowd() {
        var history = UsageHistory()
        for step in 0..<600 { _ = history.rates(of: report(Int64(step) * 100, cores: 0.5)) }
        let rates = history.rates(of: report(60_000, cores: 0.5))
        #expect(rates?.node == 500_000_000)
        let window = rates?.window ?? .zero
        #expect(window >= .seconds(5) && window < .seconds(11))
        #expect(history.readings.count <= 4)
    }

    @Test("a rare reader gets the average since the last time")
    func rare() {
        var history = UsageHistory()
        _ = history.rates(of: report(0))
        #expect(history.rates(of: report(600_000))?.window == .seconds(600))
        #expect(!history.hasBase(at: Self.start.advanced(by: .seconds(900)), within: .seconds(60)))
        #expect(history.hasBase(at: Self.start.advanced(by: .seconds(610)), within: .seconds(60)))
    }

    @Test("what began between two readings has the rate of its life; what began just now has none")
    func new() {
        var history = UsageHistory()
        _ = history.rates(of: report(0))
        #expect(history.rates(of: report(10_000, cores: 1, pod: 9800))?.pods["u"] == nil)
        #expect(history.rates(of: report(10_100, cores: 1, pod: 8100))?.pods["u"] == 500_000_000)
    }

    @Test("a counter that went back, as of a container made anew, gives no rate instead of a wrong one")
    func back() {
        var history = UsageHistory()
        _ = history.rates(of: report(5000, cores: 3))
        #expect(history.rates(of: report(10_000, cores: 1))?.node == nil)
    }

    @Test("a clock that was set back makes a new beginning")
    func clock() {
        var history = UsageHistory()
        _ = history.rates(of: report(50_000))
        #expect(history.rates(of: report(1000)) == nil)
        #expect(history.rates(of: report(3000))?.window == .seconds(2))
    }
}
