import Testing

@testable import KubernetesAPI

@Suite("Schedules as cron reads them")
struct CronScheduleTests {
    @Test(
        "schedules",
        arguments: [
            "* * * * *", "*/5 * * * *", "0 0 1 1 *", "59 23 31 12 6", "0,30 8-17 * * 1-5", "0-59/15 * * * *",
            "0 0 * jan,JUL sun", "@daily", "@every 1h30m", "? 1 ? * *",
        ])
    func schedules(text: String) {
        #expect(CronSchedule.problem(of: text) == nil)
    }

    @Test(
        "what is none",
        arguments: [
            "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7",
            "*/0 * * * *",
            "5-1 * * * *", "a * * * *", "1,,2 * * * *", "1/2/3 * * * *", "1-2-3 * * * *", "@often", "@every",
            "@every x",
            "99999999999999999999 * * * *",
        ])
    func others(text: String) {
        #expect(CronSchedule.problem(of: text) != nil)
    }
}
