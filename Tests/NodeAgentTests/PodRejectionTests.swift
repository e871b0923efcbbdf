import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite struct PodRejectionTests {
    @Test("what is kept of an end is read again as it was")
    func kept() throws {
        for rejection in [
            PodRejection(reason: "Evicted", message: "The node was low on \"memory\".\n", isDisruption: true),
            PodRejection(reason: "Preempting", message: "m", isDisruption: true, conditionMessage: "c"),
            PodRejection(reason: "DeadlineExceeded", message: ""),
        ] {
            let bytes = rejection.record.serialized()
            #expect(PodRejection(record: try JSONValue(parsing: bytes)) == rejection)
        }
    }

    @Test("a file that says something else is not taken for an end", arguments: ["{}", "[]", #"{"reason":"Evicted"}"#])
    func broken(text: String) throws {
        #expect(PodRejection(record: try JSONValue(parsing: text)) == nil)
    }
}
