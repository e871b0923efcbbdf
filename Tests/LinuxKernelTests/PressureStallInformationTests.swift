import LinuxKernel
import Testing

@Suite struct PressureStallInformationTests {
    private static let some = "some avg10=1.50 avg60=0.25 avg300=0.00 total=12345\n"

    @Test("both lines are read, the second may be missing")
    func parse() throws {
        let both = try #require(
            PressureStallInformation(parsing: Self.some + "full avg10=0.00 avg60=0.00 avg300=0.10 total=7\n"))
        #expect(both.some == .init(average10: 1.5, average60: 0.25, average300: 0, totalMicroseconds: 12_345))
        #expect(both.full?.totalMicroseconds == 7)
        #expect(try #require(PressureStallInformation(parsing: Self.some)).full == nil)
    }

    @Test(
        "a text that is no pressure file is refused",
        arguments: ["", "some", "some avg10=1 avg60=x avg300=0 total=1", "full avg10=0"])
    func refuse(text: String) {
        #expect(PressureStallInformation(parsing: text) == nil)
    }

    @Test(
        "the system's pressure is read where the kernel keeps it", arguments: PressureStallInformation.Resource.allCases
    )
    func host(resource: PressureStallInformation.Resource) throws {
        let isKept = FileSystem.exists("/proc/pressure/" + resource.rawValue)
        #expect(try (PressureStallInformation.system(resource) != nil) == isKept)
    }
}
