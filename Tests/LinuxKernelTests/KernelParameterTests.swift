import LinuxKernel
import SystemPackage
import Testing

struct KernelParameterTests {
    @Test("a name that leads elsewhere is refused", arguments: ["", ".", "a..b", "kernel.", "net.//.x", "a\0b"])
    func invalid(name: String) {
        let error = #expect(throws: KernelError.self) { try KernelParameter.write(name, "1") }
        #expect(error?.errno == .invalidArgument)
    }

    @Test("a parameter that this kernel does not have is said to be absent")
    func absent() {
        let error = #expect(throws: KernelError.self) { try KernelParameter.write("net.swiftlet.absent", "1") }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }
}
