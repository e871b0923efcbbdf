import LinuxKernel
import Testing

@Suite struct IOWeightSupportTests {
    @Test("weights do something where a disk's scheduler or cost model keeps them")
    func effective() {
        let bfq = IOWeightSupport(
            hasController: true, schedulers: ["sda": "mq-deadline kyber [bfq] none\n", "sdb": "[none] bfq\n"])
        #expect(bfq.problem == nil)
        let model = IOWeightSupport(
            hasController: true, schedulers: ["vda": "[none] mq-deadline\n"],
            costModel: "8:0 enable=0 ctrl=auto\n254:0 enable=1 ctrl=user rpct=95.00\n")
        #expect(model.problem == nil)
    }

    @Test("without the controller, or with disks that know no weights, that is said with what to do")
    func ineffective() {
        #expect(IOWeightSupport(hasController: false).problem?.text.contains("io controller") == true)
        let plain = IOWeightSupport(
            hasController: true, schedulers: ["sda": "[mq-deadline] kyber bfq none\n"], costModel: "8:0 enable=0\n")
        #expect(plain.problem?.fix.contains("queue/scheduler") == true)
    }
}
