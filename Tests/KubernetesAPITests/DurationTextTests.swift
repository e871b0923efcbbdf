import KubernetesAPI
import Testing

struct DurationTextTests {
    @Test(
        "a duration is written as Kubernetes writes it, and is read back as the same",
        arguments: [
            (Duration.zero, "0s"), (.seconds(120), "2m0s"), (.seconds(14400), "4h0m0s"), (.seconds(45), "45s"),
            (.milliseconds(1500), "1.5s"), (.milliseconds(300), "300ms"), (.microseconds(1500), "1.5ms"),
            (.nanoseconds(1), "1ns"), (.seconds(3661) + .milliseconds(250), "1h1m1.25s"), (.seconds(-90), "-1m30s"),
        ])
    func text(duration: Duration, expected: String) {
        #expect(duration.kubernetesText == expected)
        #expect(Duration(kubernetes: expected) == duration)
    }

    @Test("what is longer than the format holds is cut off at its end")
    func long() {
        #expect(Duration.seconds(Int64.max).kubernetesText == "2562047h47m16.854775807s")
    }
}
