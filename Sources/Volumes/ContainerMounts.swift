import KubernetesAPI

/// Resolves what one container mounts. Blocks on the kernel where a subPath must be bound.
struct ContainerMounts: Sendable {
    let layout: PodVolumeLayout
    let container: Container
    let volumes: [String: MountedVolume]
    let environment: [String: String]

    /// The volumes that it mounts, and that a look into may hang in.
    var hangable: [MountedVolume] {
        let names = Set((container.volumeMounts ?? []).map(\.name))
        return volumes.values.filter { $0.mayHang && names.contains($0.name) }
    }

    /// In the order to mount in: what is mounted inside another mount comes after it.
    func resolve() throws(VolumeError) -> [VolumeMountPoint] {
        var points: [VolumeMountPoint] = []
        for (index, mount) in (container.volumeMounts ?? []).enumerated() {
            do throws(VolumeError) {
                points.append(try point(for: mount, index: index))
            } catch {
                throw error.of(volume: mount.name)
            }
        }
        func depth(_ point: VolumeMountPoint) -> Int { point.containerPath.split(separator: "/").count }
        // Stable: the index decides among equals.
        return points.enumerated().sorted { (depth($0.element), $0.offset) < (depth($1.element), $1.offset) }
            .map(\.element)
    }

    private func point(for mount: VolumeMount, index: Int) throws(VolumeError) -> VolumeMountPoint {
        guard let volume = volumes[mount.name] else {
            throw VolumeError(
                .notFound, "container \"\(container.name)\" mounts a volume that spec.volumes does not have")
        }
        guard volume.device == nil else {
            throw VolumeError(.invalid, "volumeMounts[\(index)]: a block device is not mounted; use volumeDevices")
        }
        let propagation = try propagation(of: mount)
        guard !mount.mountPath.isEmpty, !mount.mountPath.utf8.contains(0) else {
            throw VolumeError(.invalid, "volumeMounts[\(index)].mountPath must be a path")
        }
        var source = (path: volume.hostPath, isFile: volume.isFile, forbidsLinks: volume.forbidsLinks)
        if let subPath = try subPath(of: mount) {
            let target = try layout.subPathTarget(volume: mount.name, container: container.name, index: index)
            let binding = SubPath(
                volumeDirectory: volume.hostPath, forbidsLinks: volume.forbidsLinks, path: try VolumePath(subPath),
                target: target, hasPodIDs: volume.hasPodIDs)
            source = (target, try binding.bind(), false)
        }
        let isAbsolute = mount.mountPath.utf8.first == UInt8(ascii: "/")
        return VolumeMountPoint(
            hostPath: source.path, containerPath: isAbsolute ? mount.mountPath : "/" + mount.mountPath,
            isFile: source.isFile, readOnly: mount.readOnly ?? false || volume.isReadOnly,
            // What is mounted below is as read-only unless the pod says otherwise: a promise should not end at a mount point.
            readOnlyBelow: mount.recursiveReadOnly != "Disabled", propagation: propagation,
            forbidsLinks: source.forbidsLinks, hasPodIDs: volume.hasPodIDs)
    }

    /// The block devices the container gets.
    func devices() throws(VolumeError) -> [ContainerDevicePoint] {
        var points: [ContainerDevicePoint] = []
        for (index, device) in (container.volumeDevices ?? []).enumerated() {
            let field = "container \"\(container.name)\": volumeDevices[\(index)]"
            guard let volume = volumes[device.name], let node = volume.device else {
                throw VolumeError(.notFound, "\(field): no block device of that name", volume: device.name)
            }
            let path = device.devicePath.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
            guard let last = path.last, !path.contains(Array("..".utf8)), last != Array(".".utf8),
                !device.devicePath.utf8.contains(0)
            else { throw VolumeError(.invalid, "\(field).devicePath must be a path without '..'", volume: device.name) }
            // A node made there would stay in the volume, for others to find.
            let mounted = (container.volumeMounts ?? []).first { mount in
                let place = mount.mountPath.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
                return path.starts(with: place)
            }
            if let mounted {
                throw VolumeError(
                    .invalid,
                    "\(field).devicePath \(JSONValue.string(device.devicePath)) lies in the volume mounted at "
                        + "\(JSONValue.string(mounted.mountPath))", volume: device.name)
            }
            points.append(
                ContainerDevicePoint(
                    containerPath: "/" + path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"),
                    node: node, readOnly: volume.isReadOnly))
        }
        return points
    }

    private func subPath(of mount: VolumeMount) throws(VolumeError) -> String? {
        if let expression = mount.subPathExpr, !expression.isEmpty {
            do throws(VariableExpansionError) {
                return try VariableExpansion.expandRequiringValues(expression) { environment[$0] }
            } catch {
                throw VolumeError(.invalid, "subPathExpr \(JSONValue.string(expression)): \(error)")
            }
        }
        return mount.subPath.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func propagation(of mount: VolumeMount) throws(VolumeError) -> VolumeMountPoint.Propagation {
        let text = mount.mountPropagation ?? "None"
        guard let propagation = VolumeMountPoint.Propagation(rawValue: text) else {
            throw VolumeError(
                .invalid,
                "mountPropagation \(JSONValue.string(text)) must be None, HostToContainer or Bidirectional")
        }
        if propagation == .bidirectional && container.securityContext?.privileged != true {
            throw VolumeError(
                .invalid, "mountPropagation Bidirectional is only available to privileged containers")
        }
        return propagation
    }
}
