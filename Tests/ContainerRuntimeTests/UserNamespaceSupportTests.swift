import Testing

@testable import ContainerRuntime

struct UserNamespaceSupportTests {
    @Test(
        "kernels from 5.19 on can map the ids of image layers",
        arguments: [
            ("5.18.19", false), ("5.19.0", true), ("6.1.0-18-amd64", true), ("4.19.0", false), ("6.18.4+", true),
            ("10.0", true), ("", false), ("unknown", false),
        ])
    func release(release: String, isEnough: Bool) {
        #expect((UserNamespaceSupport.problem(release: release, limit: 1000) == nil) == isEnough)
    }

    @Test("no user namespaces, or a limit of none, are told with the fix")
    func limit() {
        #expect(UserNamespaceSupport.problem(release: "6.1", limit: nil)?.contains("CONFIG_USER_NS") == true)
        #expect(UserNamespaceSupport.problem(release: "6.1", limit: 0)?.contains("user.max_user_namespaces") == true)
        #expect(UserNamespaceSupport.problem(release: "6.1", limit: 1) == nil)
    }
}
