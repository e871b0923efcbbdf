import KubernetesAPI
import Volumes

/// What the API is to know of this node's storage drivers: in the `CSINode` of the node's name, and on the Node itself. Pure.
enum CSINodeDecision {
    /// What each driver calls the node, as JSON: read by programs older than `CSINode`.
    static let annotation = "csi.volume.kubernetes.io/nodeid"

    /// The object as it should be; nil when it is so already.
    ///
    /// - Parameter existing: nil when there is none. One without drivers is made only for drivers.
    static func object(existing: CSINode?, node: OwnerReference, inventory: DriverInventory) -> CSINode? {
        if existing == nil, inventory.drivers.isEmpty { return nil }
        var object = existing ?? CSINode()
        object.metadata.name = node.name
        // Of an earlier Node of this name it would be taken away with that one.
        object.metadata.ownerReferences = [node]
        let known = Set(inventory.drivers.map(\.name))
        let kept = inventory.isComplete ? [] : object.spec.drivers.filter { !known.contains($0.name) }
        object.spec.drivers = (kept + inventory.drivers.map(CSINodeDriver.init)).sorted { $0.name < $1.name }
        return object == existing ? nil : object
    }

    /// The strategic merge patch of the Node; nil when it says all of that. Labels of drivers that are gone stay, as a kubelet leaves
    /// them: pods may have been placed by them.
    ///
    /// - Returns: also what a driver's topology would change that is set otherwise: that is left as it is.
    static func patch(of node: Node, inventory: DriverInventory) -> (patch: JSONValue?, collisions: [String]) {
        var labels: [String: JSONValue] = [:]
        var collisions: [String] = []
        for driver in inventory.drivers {
            for (key, value) in driver.topology.sorted(by: { $0.key < $1.key }) {
                switch node.metadata.labels?[key] {
                case value: break
                case nil: labels[key] = .string(value)
                case let other?:
                    collisions.append(
                        "detected topology value collision: driver \(driver.name) reported \"\(key)\":\"\(value)\" but "
                            + "existing label is \"\(key)\":\"\(other)\"")
                }
            }
        }
        var metadata: JSONValue = [:]
        if !labels.isEmpty { metadata["labels"] = .object(labels) }
        let existing = node.metadata.annotations?[annotation]
        let wanted = nodeIDs(existing: existing, inventory)
        if wanted != existing { metadata["annotations"] = [annotation: wanted.map(JSONValue.string) ?? .null] }
        return (metadata == [:] ? Optional.none : ["metadata": metadata], collisions)
    }

    /// Nil without drivers.
    private static func nodeIDs(existing: String?, _ inventory: DriverInventory) -> String? {
        var ids: [String: JSONValue] = [:]
        if !inventory.isComplete, let existing, let value = try? JSONValue(parsing: existing) {
            ids = value.objectValue ?? [:]
        }
        for driver in inventory.drivers { ids[driver.name] = .string(driver.nodeID) }
        return ids.isEmpty ? nil : "\(JSONValue.object(ids))"
    }
}

extension CSINodeDriver {
    init(_ driver: DriverIdentity) {
        self.init()
        name = driver.name
        nodeID = driver.nodeID
        topologyKeys = driver.topology.isEmpty ? nil : driver.topology.keys.sorted()
        guard let count = driver.maximumVolumes else { return }
        var resources = VolumeNodeResources()
        resources.count = count
        allocatable = resources
    }
}
