import Glibc
import MonitorCore

extension LaunchPlanner {
    /// The nodes of block devices that are volumes; where the devices are the host's business, nothing is opened here.
    ///
    /// - Parameter hasUserNamespace: nobody in one can make a node, and those of the host belong to nobody in it.
    static func steps(
        for devices: [ContainerDevice], hasUserNamespace: Bool
    ) throws(RuntimeError) -> [LaunchStep] {
        var steps: [LaunchStep] = []
        for device in devices {
            let path = try deviceText(device.containerPath)
            if hasUserNamespace {
                throw RuntimeError(
                    .invalidConfiguration,
                    "volumeDevices at \"\(device.containerPath)\" cannot go with hostUsers: false: nobody in a user namespace may "
                        + "use a device of the host's")
            }
            let slash = device.containerPath.lastIndex(of: "/") ?? device.containerPath.startIndex
            let parent = device.containerPath[..<slash]
            if !parent.isEmpty { steps.append(.makeDirectory(try deviceText(parent))) }
            steps.append(
                .deviceNode(
                    path: path, mode: S_IFBLK | device.mode & 0o777, major: device.major, minor: device.minor))
            if device.userID != 0 || device.groupID != 0 {
                steps.append(.changeOwner(path: path, user: device.userID, group: device.groupID))
            }
        }
        return steps
    }

    private static func deviceText(_ path: some StringProtocol) throws(RuntimeError) -> CString {
        guard let text = CString(path.utf8) else {
            throw RuntimeError(.invalidConfiguration, "\"\(path)\" holds a NUL byte, which the kernel cannot take")
        }
        return text
    }
}
