import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("Processors for containers of their own")
struct CPUAssignmentTests {
    /// Two sockets of two cores of two threads; threads of a core are numbered four apart, as the kernel does.
    private static let large = CPUTopology(
        places: Dictionary(
            uniqueKeysWithValues: (0..<8).map { number in
                (number, CPUTopology.Place(socket: number % 4 / 2, core: number % 2))
            }))

    private func holder(_ pod: String, _ container: String = "a", isInitial: Bool = false) -> CPUAssignment.Holder {
        CPUAssignment.Holder(podUID: pod, container: container, isInitial: isInitial)
    }

    @Test("lists are read and written as the kernel does", arguments: ["", "0", "0-2,7", "1,3,5-6", "0-127"])
    func lists(text: String) throws {
        #expect(try #require(CPUSet(parsing: text)).description == text)
    }

    @Test("what is no list is none", arguments: ["a", "1-", "-1", "3-1", "1,,x", "0-99999999999", "1-2-3"])
    func badLists(text: String) {
        #expect(CPUSet(parsing: text) == nil)
    }

    @Test("a whole socket, a whole core or a thread beside a used one, whichever fits")
    func packing() {
        var assignment = CPUAssignment(topology: Self.large, reserved: CPUSet())
        // Socket 0 is 0, 1, 4, 5; its first core 0 and 4.
        let four = assignment.assign(4, to: holder("four"))
        #expect(four == CPUSet([0, 1, 4, 5]))
        let two = assignment.assign(2, to: holder("two"))
        #expect(two == CPUSet([2, 6]))
        let one = assignment.assign(1, to: holder("one"))
        #expect(one == CPUSet([3]))
        let other = assignment.assign(1, to: holder("other"))
        #expect(other == CPUSet([7]))
        #expect(assignment.shared.isEmpty)
    }

    @Test("a single thread is taken where a core is broken already")
    func leastBroken() {
        var assignment = CPUAssignment(topology: Self.large, reserved: CPUSet([0]))
        let one = assignment.assign(1, to: holder("one"))
        #expect(one == CPUSet([4]))
        let two = assignment.assign(2, to: holder("two"))
        #expect(two == CPUSet([1, 5]))
    }

    @Test("what is reserved is shared but never given away")
    func reserved() {
        let reserved = CPUAssignment.reserve(2, of: Self.large)
        #expect(reserved == CPUSet([0, 4]))
        var assignment = CPUAssignment(topology: Self.large, reserved: reserved)
        #expect(assignment.free.count == 6)
        let six = assignment.assign(6, to: holder("six"))
        #expect(six == CPUSet([1, 2, 3, 5, 6, 7]))
        #expect(assignment.shared == reserved)
        let more = assignment.assign(1, to: holder("more"))
        #expect(more == nil)
        #expect(assignment.shared == reserved)
    }

    @Test("a container keeps its processors through its restarts, and gives them back with its pod")
    func life() {
        var assignment = CPUAssignment(topology: Self.large, reserved: CPUSet([0]))
        let first = assignment.assign(2, to: holder("p"))
        let again = assignment.assign(2, to: holder("p"))
        #expect(first == again)
        #expect(assignment.shared.count == 6)
        let isReleased = assignment.release(podUID: "p")
        #expect(isReleased)
        #expect(assignment.shared == Self.large.all)
        let isReleasedTwice = assignment.release(podUID: "p")
        #expect(!isReleasedTwice)
    }

    @Test("the pod's containers take over what its init containers had, and no other pod does")
    func initContainers() {
        var assignment = CPUAssignment(topology: Self.large, reserved: CPUSet([0, 4]))
        let initial = assignment.assign(4, to: holder("p", "init", isInitial: true))
        #expect(initial?.count == 4)
        let own = assignment.assign(3, to: holder("p", "main"))
        #expect(own?.isSubset(of: initial ?? CPUSet()) == true)
        let other = assignment.assign(2, to: holder("q"))
        #expect(other?.intersection(initial ?? CPUSet()).isEmpty == true)
        // Three for one container, one lent by the init container: nothing else of the six is left.
        let side = assignment.assign(1, to: holder("p", "side"))
        #expect(side.map { own?.intersection($0).isEmpty == true } == true)
        let tooMany = assignment.assign(1, to: holder("r"))
        #expect(tooMany == nil)
    }

    @Test("only whole processors of Guaranteed pods are pinned")
    func whoIsPinned() {
        func count(_ cpu: Quantity, limited: Bool = true) -> Int? {
            var container = Container(name: "a")
            let amounts: [String: Quantity] = ["cpu": cpu, "memory": .bytes(1 << 20)]
            container.resources = ResourceRequirements(limits: limited ? amounts : nil, requests: amounts)
            let pod = Pod(metadata: ObjectMeta(name: "p", uid: "u"), spec: PodSpec(containers: [container]))
            return PodResources.pinnedProcessors(of: container, in: pod)
        }
        #expect(count(.cores(2)) == 2)
        #expect(count(.milli(1500)) == nil)
        #expect(count(.milli(500)) == nil)
        #expect(count(.cores(2), limited: false) == nil)
    }
}
