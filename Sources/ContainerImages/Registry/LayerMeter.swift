import Synchronization

/// How far one layer is: written by who fetches it, read by who shows it.
final class LayerMeter: Sendable {
    private let state: Mutex<PullProgress.Layer>

    init(_ layer: PullProgress.Layer) {
        state = Mutex(layer)
    }

    var layer: PullProgress.Layer { state.withLock { $0 } }

    func set(received: Int64) {
        state.withLock { $0.receivedBytes = received }
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
    }

    /// Bottom first; empty until the manifest is known.
    public var layers: [Layer] = []
}
