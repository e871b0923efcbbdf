import Testing

@testable import NodeAgent

@Suite struct NearNamesTests {
    private let known = [
        ("default", "web"), ("shop", "web"), ("default", "web-2"), ("default", "database"), ("default", "x"),
    ].map { (namespace: $0.0, name: $0.1) }

    @Test(
        "names that may have been meant, the likeliest first",
        arguments: [
            ("web", "other", ["default/web", "shop/web", "default/web-2"]),
            ("wbe", "default", []), ("wep", "default", ["default/web", "shop/web"]),
            ("datbase", "default", ["default/database"]), ("base", "default", ["default/database"]),
            ("", "default", ["default/x"]), ("zzz", "default", []),
        ])
    func near(name: String, namespace: String, expected: [String]) {
        #expect(NearNames.of(name, namespace: namespace, among: known) == expected)
    }

    @Test("names of any length are compared without harm")
    func long() {
        let long = String(repeating: "a", count: 5000)
        #expect(NearNames.of(long, namespace: "n", among: [("n", long + "b"), ("n", "a")]) == ["n/\(long)b"])
    }
}
