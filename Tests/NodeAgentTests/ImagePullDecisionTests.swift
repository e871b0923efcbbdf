import Testing

@testable import NodeAgent

@Suite("ImagePullDecision")
struct ImagePullDecisionTests {
    private func decide(
        _ policy: String?, tag: String? = "1", present: Bool, permitted: Bool = true, distrust: String? = nil
    ) -> ImagePullDecision {
        ImagePullDecision.decide(
            image: "x", tag: tag, policy: policy, isPresent: present, isPermitted: permitted, distrust: distrust)
    }

    @Test("Always asks the registry, IfNotPresent only for what is not here")
    func policies() {
        #expect(decide("Always", present: true) == .pull)
        #expect(decide("Always", present: false) == .pull)
        #expect(decide("IfNotPresent", present: true) == .use)
        #expect(decide("IfNotPresent", present: false) == .pull)
        #expect(decide("Never", present: true) == .use)
    }

    @Test("without a policy the tag latest means Always, everything else IfNotPresent")
    func standard() {
        #expect(decide(nil, tag: "latest", present: true) == .pull)
        #expect(decide(nil, tag: "1", present: true) == .use)
        #expect(decide(nil, tag: nil, present: true) == .use)
    }

    @Test("Never refuses what is absent, and what is here for others only")
    func never() {
        for (present, permitted) in [(false, true), (true, false)] {
            guard case .refuse(let reason, let message) = decide("Never", present: present, permitted: permitted) else {
                Issue.record("not refused")
                continue
            }
            #expect(reason == "ErrImageNeverPull")
            #expect(message.contains("\"x\""))
        }
    }

    @Test("a present image that somebody else's credential has pulled is asked for with the pod's own")
    func notPermitted() {
        #expect(decide("IfNotPresent", present: true, permitted: false) == .pull)
    }

    @Test("a present image without the proof that is asked for is pulled, which may bring it, and never used without")
    func distrusted() {
        for policy in [nil, "IfNotPresent", "Always"] {
            #expect(decide(policy, present: true, distrust: "it has none") == .pull)
        }
        #expect(
            decide("Never", present: true, distrust: "it has none")
                == .refuse(reason: "SignatureValidationFailed", message: "Container image \"x\": it has none"))
        // Whose it is comes first: nobody learns what an image that is not theirs lacks.
        guard case .refuse("ErrImageNeverPull", _) = decide("Never", present: true, permitted: false, distrust: "none")
        else {
            Issue.record("not refused")
            return
        }
    }
}
