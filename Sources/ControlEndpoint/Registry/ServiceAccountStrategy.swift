/// Service accounts: the one called default is made again when it is deleted.
struct ServiceAccountStrategy: ResourceStrategy {
    var returnsDeletedObject: Bool { true }

    func afterRemoval(_ object: StoredObject, _ operations: ResourceOperations) async {
        if object.key.name == "default" {
            await operations.ensureDefaultServiceAccount(namespace: object.key.namespace)
        }
    }
}
