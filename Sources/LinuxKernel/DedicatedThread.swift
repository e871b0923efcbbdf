import Glibc
import SystemPackage

/// Runs a piece of work on a new thread that ends with it: for calls that change the calling thread for good, such as
/// unshare(2) and setns(2).
public enum DedicatedThread {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Blocks the caller until the work is done, so it belongs on a ``KernelThreadPool`` thread.
    public static func run<Value>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
        var result: Result<Value, KernelError>?
        let code = withoutActuallyEscaping(body) { body in
            let work = Work {
                do throws(KernelError) { result = .success(try body()) } catch { result = .failure(error) }
            }
            let argument = Unmanaged.passRetained(work)
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { raw in
                    if let raw { Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body() }
                    return nil
                }, argument.toOpaque())
            if code == 0 { pthread_join(thread, nil) } else { argument.release() }
            return code
        }
        guard let result else { throw KernelError("pthread_create", errno: Errno(rawValue: code)) }
        return try result.get()
    }
}
