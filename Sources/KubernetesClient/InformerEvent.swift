public import KubernetesAPI

/// What an informer tells its readers. Level-triggered: a slow reader sees the newest state, not every step to it.
public enum InformerEvent<T: KubernetesResource>: Sendable, Hashable {
    /// Every object that existed has been told; from now on an object not known does not exist.
    case initialListDone
    /// A new object (`old` is nil) or a change.
    case applied(old: T?, new: T)
    /// The object is gone; its last known state.
    case deleted(T)
    /// The server holds an object this client cannot read; the last readable state, if any, stays in the store.
    case undecodable(UndecodableObject)
}
