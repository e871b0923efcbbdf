public import KubernetesAPI
import LinuxKernel
import Logging

extension LocalPodHost {
    /// Beside the pod's other files, and on the disk before the first of its containers is told to stop.
    public func remember(_ failure: PodRejection, of pod: Pod) async {
        guard let uid = pod.metadata.uid, PodPlaces.isSafe(uid: uid) else { return }
        let path = configuration.places.endDecision(uid)
        let bytes = failure.record.serialized()
        do {
            try await KernelThreadPool.shared.run { () throws(KernelError) in
                try FileSystem.writeAtomically(path, bytes)
            }
        } catch {
            // The pod ends all the same; only an agent killed before its status is told would start it again.
            logger.warning("end of a pod not kept", metadata: ["pod": "\(pod.key)", "error": "\(error)"])
        }
    }

    public func remembered(of uid: String) async -> PodRejection? {
        guard PodPlaces.isSafe(uid: uid) else { return nil }
        let path = configuration.places.endDecision(uid)
        let bytes = await KernelThreadPool.shared.run { try? FileSystem.read(path, limit: 64 << 10) }
        guard let bytes, let record = try? JSONValue(parsing: bytes) else { return nil }
        return PodRejection(record: record)
    }
}

extension PodRejection {
    /// As a file keeps it.
    var record: JSONValue {
        var record: JSONValue = [
            "reason": .string(reason), "message": .string(message), "isDisruption": .bool(isDisruption),
        ]
        if let conditionMessage { record["conditionMessage"] = .string(conditionMessage) }
        return record
    }

    /// nil for what is no such record.
    init?(record: JSONValue) {
        guard let reason = record["reason"]?.stringValue, let message = record["message"]?.stringValue,
            let isDisruption = record["isDisruption"]?.boolValue
        else { return nil }
        self.init(
            reason: reason, message: message, isDisruption: isDisruption,
            conditionMessage: record["conditionMessage"]?.stringValue)
    }
}
