import Synchronization

/// Bytes of layers that have come from registries since the agent started.
final class TransferTotal: Sendable {
    private let bytes = Atomic<UInt64>(0)

    func add(_ count: Int64) {
        bytes.wrappingAdd(UInt64(clamping: count), ordering: .relaxed)
    }

    var value: UInt64 { bytes.load(ordering: .relaxed) }
}

/// How far one layer is: written by who fetches it, read by who shows it.
final class LayerMeter: Sendable {
    private let state: Mutex<PullProgress.Layer>
    private let total: TransferTotal

    init(_ layer: PullProgress.Layer, total: TransferTotal) {
        state = Mutex(layer)
        self.total = total
    }

    var layer: PullProgress.Layer { state.withLock { $0 } }

    func set(received: Int64) {
        let gained = state.withLock { layer in
            defer { layer.receivedBytes = received }
            return received - layer.receivedBytes
        }
        total.add(gained)
    }

    func set(_ stage: PullProgress.Layer.Stage) {
        state.withLock { $0.stage = stage }
    }
}

/// How far a pull is, at one moment.
public struct PullProgress: Hashable, Sendable {
    public struct Layer: Hashable, Sendable {
        public enum Stage: String, Hashable, Sendable {
            case waiting, downloading, storing, done
            /// It was there before.
            case present
        }

        /// `sha256:` and the digest of the blob.
        public var digest: String
        public var totalBytes: Int64
        public var receivedBytes: Int64 = 0
        public var stage = Stage.waiting

        public init(digest: String, totalBytes: Int64, receivedBytes: Int64 = 0, stage: Stage = .waiting) {
            self.digest = digest
            self.totalBytes = totalBytes
            self.receivedBytes = receivedBytes
            self.stage = stage
        }
    }

    /// Bottom first; empty until the manifest is known.
    public var layers: [Layer]

    public init(layers: [Layer] = []) {
        self.layers = layers
    }
}
