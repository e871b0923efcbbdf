internal import Synchronization

/// What is known about types so far. It only ever grows, by one entry per Swift type, and entries never change.
enum SchemaCache {
    private struct State {
        var recordings: [ObjectIdentifier: SchemaRecording] = [:]
        var definitions: [ObjectIdentifier: SchemaDefinition] = [:]
    }

    private static let state = Mutex(State())

    /// How deep single-value types may wrap each other before a type counts as "anything".
    private static let maximumDepth = 64

    static func definition(of type: any Decodable.Type) -> SchemaDefinition {
        let identifier = ObjectIdentifier(type)
        if let known = state.withLock({ $0.definitions[identifier] }) { return known }
        // Recording runs the type's own code: never under the lock. Two threads may both do it; the results are equal.
        let recording = recording(of: type)
        let definition = SchemaDefinition(
            reference: SchemaReference(type),
            properties: recording.properties.map { property in
                SchemaProperty(name: property.name, type: resolve(property.type), isRequired: property.isRequired)
            },
            isOpen: recording.isOpen,
            patchMergeKey: (type as? any PatchMergeKeyed.Type)?.patchMergeKey,
            mergedPrimitiveLists: (type as? any PatchMergedPrimitiveLists.Type)?.mergedPrimitiveLists ?? [])
        state.withLock { $0.definitions[identifier] = definition }
        return definition
    }

    static func resolve(_ type: SchemaRecordedType, depth: Int = 0) -> SchemaType {
        guard depth < maximumDepth else { return .leaf(.any) }
        switch type {
        case .leaf(let leaf): return .leaf(leaf)
        case .array(let element): return .array(resolve(element, depth: depth + 1))
        case .map(let element): return .map(resolve(element, depth: depth + 1))
        case .type(let reference):
            // Only now is it looked at whether the type is an object or stands for another value.
            switch recording(of: reference.type).shape {
            case .object: return .object(reference)
            case .alias(let other): return resolve(other, depth: depth + 1)
            }
        }
    }

    private static func recording(of type: any Decodable.Type) -> SchemaRecording {
        let identifier = ObjectIdentifier(type)
        if let known = state.withLock({ $0.recordings[identifier] }) { return known }
        let recording = SchemaRecorder.record(type)
        state.withLock { $0.recordings[identifier] = recording }
        return recording
    }
}
