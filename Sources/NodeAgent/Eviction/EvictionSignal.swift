/// What a node can run out of, by the names that thresholds use.
public enum EvictionSignal: String, CaseIterable, Sendable {
    case memoryAvailable = "memory.available"
    /// What the pods together may still use of what is set aside for them; never configured, it follows memory.available.
    case allocatableMemoryAvailable = "allocatableMemory.available"
    /// The file system with the agent's state: volumes, the containers' writable layers.
    case nodefsAvailable = "nodefs.available"
    case nodefsInodesFree = "nodefs.inodesFree"
    /// The file system with the images; on most nodes the same one.
    case imagefsAvailable = "imagefs.available"
    case imagefsInodesFree = "imagefs.inodesFree"
    case pidAvailable = "pid.available"

    /// The resource, as events and messages name it.
    var resource: String {
        switch self {
        case .memoryAvailable, .allocatableMemoryAvailable: "memory"
        case .nodefsAvailable, .imagefsAvailable: "ephemeral-storage"
        case .nodefsInodesFree, .imagefsInodesFree: "inodes"
        case .pidAvailable: "pids"
        }
    }

    /// The node's condition while less than the threshold is left.
    var pressure: PodAdmission.Pressure {
        switch self {
        case .memoryAvailable, .allocatableMemoryAvailable: .memory
        case .nodefsAvailable, .nodefsInodesFree, .imagefsAvailable, .imagefsInodesFree: .disk
        case .pidAvailable: .pid
        }
    }

    /// Whether amounts are bytes.
    var isInBytes: Bool {
        switch self {
        case .memoryAvailable, .allocatableMemoryAvailable, .nodefsAvailable, .imagefsAvailable: true
        case .nodefsInodesFree, .imagefsInodesFree, .pidAvailable: false
        }
    }
}
