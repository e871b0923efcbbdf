import KubernetesAPI
import KubernetesClient
import Testing

@testable import NodeAgent

@Suite("The node's sign of life")
struct NodeLeaseStateMachineTests {
    private static let notFound = APIError(code: .http(404), reason: .notFound, message: "")
    private static let conflict = APIError(code: .http(409), reason: .conflict, message: "")
    private static let unavailable = APIError(code: .http(503), message: "")
    private let wall = MicroTimestamp(seconds: 1_000)

    /// A machine that holds a lease since time zero.
    private func holding(_ lease: Lease = Lease()) -> NodeLeaseStateMachine {
        var machine = NodeLeaseStateMachine(nodeName: "n")
        machine.completed(.fetch, .success(lease), now: .zero, random: 0.5)
        return machine
    }

    @Test("a missing lease is created, owned by the node")
    func creates() {
        var machine = NodeLeaseStateMachine(nodeName: "n")
        #expect(machine.next(now: .zero, wall: wall, nodeUID: "uid") == .fetch)
        machine.completed(.fetch, .failure(Self.notFound), now: .zero, random: 0.5)
        let action = machine.next(now: .zero, wall: wall, nodeUID: "uid")
        guard case .create(let lease) = action else { return #expect(Bool(false), "\(action)") }
        #expect(lease.metadata.namespace == "kube-node-lease")
        #expect(lease.metadata.name == "n")
        #expect(lease.spec == LeaseSpec(holderIdentity: "n", leaseDurationSeconds: 40, renewTime: wall))
        #expect(
            lease.metadata.ownerReferences == [OwnerReference(apiVersion: "v1", kind: "Node", name: "n", uid: "uid")])
        machine.completed(action, .success(lease), now: .zero, random: 0.5)
        #expect(machine.next(now: .zero, wall: wall, nodeUID: "uid") == .wait(.seconds(10)))
    }

    @Test("the lease is renewed every ten seconds, and an owner not known before is added")
    func renews() {
        var machine = holding(Lease(metadata: ObjectMeta(resourceVersion: "7")))
        guard case .update(let lease) = machine.next(now: .zero, wall: wall, nodeUID: nil) else {
            return #expect(Bool(false), "not renewed")
        }
        #expect(lease.metadata.resourceVersion == "7")
        #expect(lease.metadata.ownerReferences == nil)
        machine.completed(.update(lease), .success(lease), now: .zero, random: 1)
        #expect(machine.next(now: .seconds(10), wall: wall, nodeUID: nil) == .wait(.seconds(0.4)))
        guard case .update(let second) = machine.next(now: .seconds(11), wall: wall, nodeUID: "uid") else {
            return #expect(Bool(false), "not renewed again")
        }
        #expect(second.metadata.ownerReferences?.map(\.uid) == ["uid"])
    }

    @Test("a clock set back does not make the node look silent")
    func clockSetBack() {
        var machine = holding(Lease(spec: LeaseSpec(renewTime: MicroTimestamp(seconds: 9_000))))
        guard case .update(let lease) = machine.next(now: .zero, wall: wall, nodeUID: nil) else {
            return #expect(Bool(false), "not renewed")
        }
        #expect(lease.spec.renewTime == MicroTimestamp(seconds: 9_000, microseconds: 1_000))
    }

    @Test("after a conflict the lease is read again; failures are retried at least every seven seconds")
    func failures() {
        var machine = holding()
        machine.completed(
            machine.next(now: .zero, wall: wall, nodeUID: nil), .failure(Self.conflict), now: .zero, random: 0.5)
        #expect(machine.next(now: .seconds(1), wall: wall, nodeUID: nil) == .fetch)
        machine.completed(.fetch, .success(Lease()), now: .seconds(1), random: 0.5)
        var now = Duration.seconds(1)
        for _ in 0..<12 {
            let action = machine.next(now: now, wall: wall, nodeUID: nil)
            guard case .update = action else { return #expect(Bool(false), "\(action)") }
            machine.completed(action, .failure(Self.unavailable), now: now, random: 0.5)
            guard case .wait(let wait) = machine.next(now: now, wall: wall, nodeUID: nil) else {
                return #expect(Bool(false), "no wait")
            }
            #expect(wait <= .seconds(7.3))
            now += wait
        }
    }
}
