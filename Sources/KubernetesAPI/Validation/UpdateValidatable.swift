/// A type that can say which changes of a stored object are not allowed.
public protocol UpdateValidatable {
    /// Every problem of replacing `old` by this object, beyond what ``Validatable`` says about this object alone.
    func validateUpdate(old: Self) -> [FieldError]
}
