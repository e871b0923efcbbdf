extension LaunchStep {
    /// Tags on the wire. A number is never reused; a new step takes the next one. `writeSysctl` was a step once.
    private enum Tag: UInt8 {
        case joinCgroup = 1, enterNamespace, enterContainerNamespaces, unshare, setPropagation, mountOverlayRoot, mount
        case bind, deviceNode, symbolicLink, maskPath, readOnlyPath, writeSysctl, pivotRoot, makeRootReadOnly
        case resourceLimit, outOfMemoryScore, awaitRelease, boundingCapabilities, supplementaryGroups, groupID, userID
        case capabilities, noNewPrivileges, seccompFilter, workingDirectory, parentDeathSignal, closeDescriptors,
            execute
        case makeDirectory
        case bindWithoutLinks
        case shareSource, changeOwner, bindWithTopAttributes, bindWithoutLinksWithTopAttributes
        case openUserNamespace, openOverlayRoot, openBind, ownStandardStreams, becomeInit, attachRoot, attachBind
        case bindDevice, setHostName
        case appArmorProfile
        case openTerminal, keepInput
    }

    private var tag: Tag {
        switch self {
        case .joinCgroup: .joinCgroup
        case .enterNamespace: .enterNamespace
        case .enterContainerNamespaces: .enterContainerNamespaces
        case .unshare: .unshare
        case .setPropagation: .setPropagation
        case .mountOverlayRoot: .mountOverlayRoot
        case .mount: .mount
        case .bind(let bind): bind.topAttributes == 0 ? .bind : .bindWithTopAttributes
        case .bindWithoutLinks(let bind):
            bind.topAttributes == 0 ? .bindWithoutLinks : .bindWithoutLinksWithTopAttributes
        case .deviceNode: .deviceNode
        case .symbolicLink: .symbolicLink
        case .maskPath: .maskPath
        case .readOnlyPath: .readOnlyPath
        case .pivotRoot: .pivotRoot
        case .makeRootReadOnly: .makeRootReadOnly
        case .resourceLimit: .resourceLimit
        case .outOfMemoryScore: .outOfMemoryScore
        case .awaitRelease: .awaitRelease
        case .boundingCapabilities: .boundingCapabilities
        case .supplementaryGroups: .supplementaryGroups
        case .groupID: .groupID
        case .userID: .userID
        case .capabilities: .capabilities
        case .noNewPrivileges: .noNewPrivileges
        case .seccompFilter: .seccompFilter
        case .workingDirectory: .workingDirectory
        case .parentDeathSignal: .parentDeathSignal
        case .closeDescriptors: .closeDescriptors
        case .execute: .execute
        case .makeDirectory: .makeDirectory
        case .shareSource: .shareSource
        case .changeOwner: .changeOwner
        case .openUserNamespace: .openUserNamespace
        case .openOverlayRoot: .openOverlayRoot
        case .openBind: .openBind
        case .ownStandardStreams: .ownStandardStreams
        case .becomeInit: .becomeInit
        case .attachRoot: .attachRoot
        case .attachBind: .attachBind
        case .bindDevice: .bindDevice
        case .setHostName: .setHostName
        case .appArmorProfile: .appArmorProfile
        case .openTerminal: .openTerminal
        case .keepInput: .keepInput
        }
    }

    public func encode(into writer: inout WireWriter) {
        writer.write(tag.rawValue)
        switch self {
        case .joinCgroup(let file): writer.write(file)
        case .enterNamespace(let path, let type):
            writer.write(path)
            writer.write(type)
        case .enterContainerNamespaces(let types): writer.write(types)
        case .unshare(let flags): writer.write(flags)
        case .setPropagation(let flags): writer.write(flags)
        case .mountOverlayRoot(let lower, let upper, let work, let target):
            writer.write(lower)
            writer.write(upper)
            writer.write(work)
            writer.write(target)
        case .openOverlayRoot(let lower, let upper, let work, let target, let mapsIDs):
            writer.write(lower)
            writer.write(upper)
            writer.write(work)
            writer.write(target)
            writer.write(mapsIDs)
        case .mount(let type, let target, let attributes, let options):
            writer.write(type)
            writer.write(target)
            writer.write(attributes)
            writer.write(UInt32(options.count))
            for option in options {
                writer.write(option.key)
                writer.write(option.value)
            }
        case .bind(let bind), .bindWithoutLinks(let bind): bind.encode(into: &writer)
        case .openBind(let bind, let forbidsLinks, let mapsIDs):
            writer.write(bind.topAttributes != 0)
            bind.encode(into: &writer)
            writer.write(forbidsLinks)
            writer.write(mapsIDs)
        case .deviceNode(let path, let mode, let major, let minor):
            writer.write(path)
            writer.write(mode)
            writer.write(major)
            writer.write(minor)
        case .symbolicLink(let target, let path):
            writer.write(target)
            writer.write(path)
        case .changeOwner(let path, let user, let group):
            writer.write(path)
            writer.write(user)
            writer.write(group)
        case .maskPath(let path), .readOnlyPath(let path), .workingDirectory(let path), .makeDirectory(let path),
            .openUserNamespace(let path), .attachRoot(let path), .setHostName(let path), .appArmorProfile(let path):
            writer.write(path)
        case .shareSource(let path, let forbidsLinks):
            writer.write(path)
            writer.write(forbidsLinks)
        case .bindDevice(let path, let major, let minor):
            writer.write(path)
            writer.write(major)
            writer.write(minor)
        case .resourceLimit(let resource, let soft, let hard):
            writer.write(resource)
            writer.write(soft)
            writer.write(hard)
        case .outOfMemoryScore(let score): writer.write(score)
        case .boundingCapabilities(let mask): writer.write(mask)
        case .supplementaryGroups(let groups): writer.write(groups)
        case .groupID(let identifier), .userID(let identifier), .ownStandardStreams(let identifier):
            writer.write(identifier)
        case .capabilities(let effective, let permitted, let inheritable):
            writer.write(effective)
            writer.write(permitted)
            writer.write(inheritable)
        case .seccompFilter(let program): writer.write(program)
        case .execute(let candidates, let arguments, let environment):
            writer.write(candidates)
            writer.write(arguments)
            writer.write(environment)
        case .pivotRoot, .makeRootReadOnly, .awaitRelease, .noNewPrivileges, .parentDeathSignal, .closeDescriptors,
            .becomeInit, .attachBind, .openTerminal, .keepInput:
            break
        }
    }

    public static func decode(from reader: inout WireReader) throws(WireError) -> LaunchStep {
        let offset = reader.offset
        guard let tag = Tag(rawValue: try reader.readByte()) else { throw WireError(.unknownTag, offset: offset) }
        switch tag {
        case .joinCgroup: return .joinCgroup(tasksFile: try reader.readCString())
        case .enterNamespace: return .enterNamespace(path: try reader.readCString(), type: try reader.readUInt32())
        case .enterContainerNamespaces: return .enterContainerNamespaces(types: try reader.readUInt32())
        case .unshare: return .unshare(flags: try reader.readUInt32())
        case .setPropagation: return .setPropagation(flags: try reader.readUInt64())
        case .mountOverlayRoot:
            return .mountOverlayRoot(
                lower: try reader.readCStrings(), upper: try reader.readCString(), work: try reader.readCString(),
                target: try reader.readCString())
        case .mount: return try decodeMount(from: &reader)
        case .bind: return .bind(try BindMount(from: &reader, hasTopAttributes: false))
        case .bindWithTopAttributes: return .bind(try BindMount(from: &reader, hasTopAttributes: true))
        case .bindWithoutLinks: return .bindWithoutLinks(try BindMount(from: &reader, hasTopAttributes: false))
        case .bindWithoutLinksWithTopAttributes:
            return .bindWithoutLinks(try BindMount(from: &reader, hasTopAttributes: true))
        case .deviceNode:
            return .deviceNode(
                path: try reader.readCString(), mode: try reader.readUInt32(), major: try reader.readUInt32(),
                minor: try reader.readUInt32())
        case .symbolicLink: return .symbolicLink(target: try reader.readCString(), path: try reader.readCString())
        case .makeDirectory: return .makeDirectory(try reader.readCString())
        case .maskPath: return .maskPath(try reader.readCString())
        case .readOnlyPath: return .readOnlyPath(try reader.readCString())
        case .shareSource: return .shareSource(try reader.readCString(), forbidsLinks: try reader.readBool())
        case .changeOwner:
            return .changeOwner(
                path: try reader.readCString(), user: try reader.readUInt32(), group: try reader.readUInt32())
        case .writeSysctl: throw WireError(.unknownTag, offset: offset)
        case .pivotRoot: return .pivotRoot
        case .makeRootReadOnly: return .makeRootReadOnly
        case .resourceLimit:
            return .resourceLimit(
                resource: try reader.readUInt32(), soft: try reader.readUInt64(), hard: try reader.readUInt64())
        case .outOfMemoryScore: return .outOfMemoryScore(try reader.readInt32())
        case .awaitRelease: return .awaitRelease
        case .boundingCapabilities: return .boundingCapabilities(try reader.readUInt64())
        case .supplementaryGroups: return .supplementaryGroups(try reader.readUInt32s())
        case .groupID: return .groupID(try reader.readUInt32())
        case .userID: return .userID(try reader.readUInt32())
        case .capabilities:
            return .capabilities(
                effective: try reader.readUInt64(), permitted: try reader.readUInt64(),
                inheritable: try reader.readUInt64())
        case .noNewPrivileges: return .noNewPrivileges
        case .seccompFilter: return .seccompFilter(try reader.readBytes())
        case .workingDirectory: return .workingDirectory(try reader.readCString())
        case .parentDeathSignal: return .parentDeathSignal
        case .closeDescriptors: return .closeDescriptors
        case .execute:
            return .execute(
                candidates: try reader.readCStrings(), arguments: try reader.readCStrings(),
                environment: try reader.readCStrings())
        case .openUserNamespace: return .openUserNamespace(path: try reader.readCString())
        case .openOverlayRoot:
            return .openOverlayRoot(
                lower: try reader.readCStrings(), upper: try reader.readCString(), work: try reader.readCString(),
                target: try reader.readCString(), mapsIDs: try reader.readBool())
        case .openBind:
            let hasTopAttributes = try reader.readBool()
            return .openBind(
                try BindMount(from: &reader, hasTopAttributes: hasTopAttributes), forbidsLinks: try reader.readBool(),
                mapsIDs: try reader.readBool())
        case .ownStandardStreams: return .ownStandardStreams(userID: try reader.readUInt32())
        case .becomeInit: return .becomeInit
        case .attachRoot: return .attachRoot(target: try reader.readCString())
        case .attachBind: return .attachBind
        case .bindDevice:
            return .bindDevice(
                path: try reader.readCString(), major: try reader.readUInt32(), minor: try reader.readUInt32())
        case .setHostName: return .setHostName(try reader.readCString())
        case .appArmorProfile: return .appArmorProfile(try reader.readCString())
        case .openTerminal: return .openTerminal
        case .keepInput: return .keepInput
        }
    }

    private static func decodeMount(from reader: inout WireReader) throws(WireError) -> LaunchStep {
        let type = try reader.readCString()
        let target = try reader.readCString()
        let attributes = try reader.readUInt64()
        let count = try reader.readCount()
        var options: [MountOption] = []
        for _ in 0..<count {
            options.append(MountOption(key: try reader.readCString(), value: try reader.readOptionalCString()))
        }
        return .mount(type: type, target: target, attributes: attributes, options: options)
    }
}

extension BindMount {
    fileprivate func encode(into writer: inout WireWriter) {
        writer.write(source)
        writer.write(target)
        writer.write(kind.rawValue)
        writer.write(attributes)
        writer.write(propagation)
        if topAttributes != 0 { writer.write(topAttributes) }
    }

    fileprivate init(from reader: inout WireReader, hasTopAttributes: Bool) throws(WireError) {
        source = try reader.readCString()
        target = try reader.readCString()
        let offset = reader.offset
        guard let kind = TargetKind(rawValue: try reader.readByte()) else {
            throw WireError(.unknownTag, offset: offset)
        }
        self.kind = kind
        attributes = try reader.readUInt64()
        propagation = try reader.readUInt64()
        topAttributes = hasTopAttributes ? try reader.readUInt64() : 0
    }
}
