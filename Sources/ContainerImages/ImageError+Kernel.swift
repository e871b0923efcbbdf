import LinuxKernel

/// Runs kernel work of the store, giving its failure the ``ImageError/Code/storage`` code.
func storing<Value: ~Copyable>(
    _ subject: @autoclosure () -> String, _ body: () throws(KernelError) -> Value
) throws(ImageError) -> Value {
    do {
        return try body()
    } catch {
        throw ImageError(.storage, "\(subject()): \(error)")
    }
}
