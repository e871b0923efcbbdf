import Testing

@testable import NodeAgent

@Suite("What the machine is")
struct NodeInformationTests {
    @Test(
        "the name of the system is read as os-release(5) writes it",
        arguments: [
            ("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n", "Debian GNU/Linux 12 (bookworm)"),
            ("PRETTY_NAME='A B'", "A B"), ("PRETTY_NAME=Alpine\r\n", "Alpine"),
            (#"PRETTY_NAME="a \"b\" \\ \$c""#, #"a "b" \ $c"#), ("NAME=x", "Linux"), (nil, "Linux"),
            ("PRETTY_NAME=\"", ""),
        ] as [(String?, String)])
    func osImage(text: String?, expected: String) {
        #expect(NodeInformation.osImage(osRelease: text) == expected)
    }

    @Test(
        "architectures have the names Go gives them",
        arguments: [
            ("x86_64", "amd64"), ("aarch64", "arm64"), ("armv7l", "arm"), ("i686", "386"), ("riscv64", "riscv64"),
            ("loongarch64", "loong64"), ("vax", "vax"),
        ])
    func architecture(machine: String, expected: String) {
        #expect(NodeInformation.goArchitecture(machine: machine) == expected)
    }

    @Test("the first machine ID that is one counts")
    func machineID() {
        #expect(NodeInformation.machineID(texts: [nil, "uninitialized\n", "\n", " abc\n", "def"]) == "abc")
        #expect(NodeInformation.machineID(texts: [nil]) == "")
    }

    @Test("a machine without a firmware UUID has its machine ID instead")
    func systemUUID() {
        #expect(NodeInformation.systemUUID(texts: [nil, "uuid\0"], machineID: "id") == "uuid")
        #expect(NodeInformation.systemUUID(texts: [nil, ""], machineID: "id") == "id")
    }

    @Test("this machine has processors, memory, a boot and a file system, even for a directory not made yet")
    func discover() {
        let information = NodeInformation.discover(stateDirectory: "/tmp/not-there/at/all")
        #expect(information.processors > 0)
        #expect(information.memory > 1 << 20)
        #expect(information.ephemeralStorage > 0)
        #expect(information.bootID.count == 36)
        #expect(!information.kernelVersion.isEmpty)
        #expect(!information.architecture.isEmpty)
    }
}
