import KubernetesAPI

/// Where the volumes of one pod live below the agent's state directory: `<uid>/volumes/<type>/<name>` and
/// `<uid>/volume-subpaths/<volume>/<container>/<index>`.
///
/// Every name is checked before it becomes part of a path: pods from a manifest file have passed no API server.
struct PodVolumeLayout: Hashable, Sendable {
    let podDirectory: String

    var volumesDirectory: String { podDirectory + "/volumes" }
    var subPathsDirectory: String { podDirectory + "/volume-subpaths" }

    init(stateDirectory: String, podUID: String) throws(VolumeError) {
        guard Self.isValidUID(podUID) else {
            throw VolumeError(
                .invalid,
                "metadata.uid \(JSONValue.string(podUID)) must be 1 to 128 letters, digits, '-', '_' or '.', "
                    + "and must not start with '.'")
        }
        podDirectory = stateDirectory + "/" + podUID
    }

    init(stateDirectory: String, pod: Pod) throws(VolumeError) {
        try self.init(stateDirectory: stateDirectory, podUID: pod.metadata.uid ?? "")
    }

    func volumeDirectory(_ typeDirectory: String, _ volume: String) throws(VolumeError) -> String {
        try "\(volumesDirectory)/\(typeDirectory)/\(Self.component(volume, "spec.volumes[].name"))"
    }

    func subPathTarget(volume: String, container: String, index: Int) throws(VolumeError) -> String {
        let volume = try Self.component(volume, "spec.volumes[].name")
        let container = try Self.component(container, "spec.containers[].name")
        return "\(subPathsDirectory)/\(volume)/\(container)/\(index)"
    }

    /// API servers give UUIDs, static pods have hashes. A leading dot is for the agent's own entries, and `.` and `..`.
    static func isValidUID(_ uid: String) -> Bool {
        (1...128).contains(uid.utf8.count) && uid.utf8.first != UInt8(ascii: ".")
            && uid.utf8.allSatisfy { isNameByte($0) }
    }

    /// A volume's or container's name as one path component; a leading dot is for staging directories.
    private static func component(_ name: String, _ field: String) throws(VolumeError) -> String {
        guard isValidUID(name) else {
            throw VolumeError(
                .invalid,
                "\(field) \(JSONValue.string(name)) must be 1 to 128 letters, digits, '-', '_' or '.', "
                    + "and must not start with '.'")
        }
        return name
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
