import KubernetesAPI
import Testing

@Suite("Changes of a claim")
struct PersistentVolumeClaimUpdateTests {
    private static func claim(_ size: String, phase: String = "Bound", capacity: String? = nil) throws
        -> PersistentVolumeClaim
    {
        var claim = PersistentVolumeClaim(
            metadata: ObjectMeta(name: "data", namespace: "ns"),
            spec: PersistentVolumeClaimSpec(
                accessModes: ["ReadWriteOnce"],
                resources: VolumeResourceRequirements(requests: ["storage": try Quantity(parsing: size)]),
                volumeName: "disk"))
        claim.status = ["phase": .string(phase)]
        if let capacity { claim.status?["capacity"] = ["storage": .string(capacity)] }
        return claim
    }

    @Test("a claim that has its volume may ask for another size, never for less than it has; all else stays")
    func sizes() throws {
        let bound = try Self.claim("2Gi", capacity: "1Gi")
        #expect(try Self.claim("3Gi").validateUpdate(old: bound).isEmpty)
        // Taking back what was asked for too much.
        #expect(try Self.claim("1Gi").validateUpdate(old: bound).isEmpty)
        let shrunk = try Self.claim("512Mi").validateUpdate(old: bound)
        #expect(shrunk.map(\.field.description) == ["spec.resources.requests[storage]"])
        let waiting = try Self.claim("2Gi", phase: "Pending")
        #expect(try Self.claim("3Gi").validateUpdate(old: waiting).map(\.field.description) == ["spec"])
        var elsewhere = try Self.claim("3Gi")
        elsewhere.spec.volumeName = "other"
        #expect(elsewhere.validateUpdate(old: bound).map(\.field.description) == ["spec"])
    }
}
