import Testing

@testable import LinuxKernel

@Suite("The memory of this process")
struct ProcessMemoryTests {
    @Test("only executable mappings of the program itself that cannot be written are let go of")
    func onlyCodeOfTheProgram() {
        let maps = """
            55d0c0000000-55d0c4250000 r-xp 00000000 fe:00 1234                       /usr/bin/swiftlet
            55d0c4250000-55d0c43ea000 r--p 04250000 fe:00 1234                       /usr/bin/swiftlet
            55d0c43ea000-55d0c6a40000 rw-p 043ea000 fe:00 1234                       /usr/bin/swiftlet
            55d0c7000000-55d0c7001000 r-xp 00000000 fe:00 99                         /usr/bin/swiftlet.old
            7f0000000000-7f0000021000 rw-p 00000000 00:00 0
            7f0010000000-7f0010200000 r-xp 00026000 fe:00 77                         /lib/x86_64-linux-gnu/libc.so.6
            7fff00000000-7fff00002000 r-xp 00000000 00:00 0                          [vdso]
            """
        #expect(ProgramPages.ranges(in: maps, of: "/usr/bin/swiftlet") == [0x55d0_c000_0000..<0x55d0_c425_0000])
    }

    @Test(
        "what is no map gives nothing",
        arguments: ["", "\n\n", "zz-yy r-xp 0 0 0 /a", "2-1 r-xp 0 0 0 /a", "r-xp /a"])
    func damagedMaps(text: String) {
        #expect(ProgramPages.ranges(in: text, of: "/a").isEmpty)
    }

    @Test("the process goes on after letting go of its pages, and knows how many it has")
    func releaseIsHarmless() throws {
        ProcessMemory.release()
        #expect(try #require(ProcessMemory.residentBytes) > 0)
    }
}
