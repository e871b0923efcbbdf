import Testing

@testable import MonitorCore

@Suite("A launch plan as bytes")
struct LaunchPlanTests {
    @Test("a plan with every kind of step comes back as it was")
    func roundTrip() throws {
        #expect(try LaunchPlan(decoding: Samples.plan.encoded()) == Samples.plan)
        #expect(try LaunchPlan(decoding: LaunchPlan().encoded()) == LaunchPlan())
    }

    @Test("each step comes back as it was", arguments: Samples.steps)
    func step(step: LaunchStep) throws {
        let plan = LaunchPlan(steps: [step])
        #expect(try LaunchPlan(decoding: plan.encoded()).steps == [step])
    }

    @Test("a plan cut short at any byte is an error")
    func truncation() {
        let bytes = Samples.plan.encoded()
        for length in bytes.indices {
            #expect(throws: WireError.self, "\(length)") { try LaunchPlan(decoding: Array(bytes[..<length])) }
        }
    }

    @Test("another version is refused", arguments: [0, 4, 255] as [UInt8])
    func version(version: UInt8) {
        var bytes = Samples.plan.encoded()
        bytes[0] = version
        #expect(throws: WireError(.badVersion, offset: 0)) { try LaunchPlan(decoding: bytes) }
    }

    @Test("an unknown step is refused where it stands", arguments: [0, 250, 255] as [UInt8])
    func unknownTag(tag: UInt8) {
        var bytes = LaunchPlan(steps: [.pivotRoot]).encoded()
        bytes[bytes.count - 1] = tag
        #expect(throws: WireError(.unknownTag, offset: bytes.count - 1)) { try LaunchPlan(decoding: bytes) }
    }

    @Test("more steps than bytes are refused")
    func oversizeCount() {
        var bytes = LaunchPlan().encoded()
        bytes.replaceSubrange((bytes.count - 4)..., with: [255, 255, 255, 255])
        #expect(throws: WireError(.tooLong, offset: bytes.count)) { try LaunchPlan(decoding: bytes) }
    }

    @Test("a byte too many is refused")
    func trailing() {
        let bytes = Samples.plan.encoded()
        #expect(throws: WireError(.trailingBytes, offset: bytes.count)) { try LaunchPlan(decoding: bytes + [0]) }
    }

    @Test("any byte changed to any value gives a plan or an error, never a trap", arguments: [0, 1, 127, 128, 255])
    func corruption(value: UInt8) throws {
        let bytes = Samples.plan.encoded()
        for position in bytes.indices {
            var changed = bytes
            changed[position] = value
            do throws(WireError) {
                // What still decodes is a valid plan, and so has bytes that give it again.
                let plan = try LaunchPlan(decoding: changed)
                #expect(try LaunchPlan(decoding: plan.encoded()) == plan)
            } catch {
                #expect(error.offset <= changed.count)
            }
        }
    }
}
