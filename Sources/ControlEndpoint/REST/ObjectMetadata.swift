internal import KubernetesAPI

/// The parts of `metadata` that belong to the server.
enum ObjectMetadata {
    /// Clears what a client may not set and gives the object its identity.
    static func prepareNew(_ object: inout JSONValue, now: Timestamp, tracksGeneration: Bool) {
        for field in [
            "resourceVersion", "selfLink", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds",
        ] {
            object.set(nil, at: "metadata", field)
        }
        object.set(.string(UniqueIdentifier.random()), at: "metadata", "uid")
        object.set(.string(now.rfc3339), at: "metadata", "creationTimestamp")
        object.set(tracksGeneration ? .integer(1) : .none, at: "metadata", "generation")
    }

    /// Carries over from the stored object what an update cannot change.
    static func keepServerFields(of old: JSONValue, in object: inout JSONValue) {
        for field in [
            "name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
            "deletionGracePeriodSeconds", "generateName",
        ] {
            object.set(old[path: "metadata", field], at: "metadata", field)
        }
        object.set(nil, at: "metadata", "selfLink")
        object.set(nil, at: "metadata", "managedFields")
    }
}
