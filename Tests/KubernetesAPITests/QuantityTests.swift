import KubernetesAPI
import Testing

@Suite("Quantity")
struct QuantityTests {
    @Test(
        "a quantity is written in Kubernetes' canonical form",
        arguments: [
            ("0", "0"), ("0.0", "0"), ("-0", "0"), ("0Gi", "0"), ("0.5", "500m"), ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"), ("1000m", "1"), ("100m", "100m"), ("1", "1"), ("+1", "1"), ("-1", "-1"),
            ("1500m", "1500m"), ("1.5", "1500m"), ("1000", "1k"), ("1500", "1500"), ("1000000", "1M"),
            ("12345678", "12345678"), ("1Ki", "1Ki"), ("512", "512"), ("0.5Ki", "512"), ("0.5Mi", "512Ki"),
            ("1023Ki", "1023Ki"), ("2048Ki", "2Mi"), ("128974848", "128974848"), ("129e6", "129e6"), ("129M", "129M"),
            ("128974848000m", "128974848"), ("123Mi", "123Mi"), ("1e3", "1e3"), ("1E3", "1e3"), ("1e-3", "1e-3"),
            ("1000e0", "1e3"), ("12e2", "1200"), ("1e+3", "1e3"), ("1E", "1E"), ("1n", "1n"), ("1000n", "1u"),
            ("1u", "1u"),
            ("0.1n", "1n"), ("0.0000000001", "1n"), ("-0.0000000001", "-1n"), (".5", "500m"), ("5.", "5"),
            ("00012", "12"), ("0.1Ki", "102400m"), ("0.0001Ki", "102400u"), ("7Ei", "7Ei"), ("100E", "100E"),
            ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", "9223372036854775807"),
            ("-9223372036854775809", "-9223372036854775807"), ("8Ei", "9223372036854775807"),
            ("1e400", "9223372036854775807"), ("1e-400", "1e-9"), ("1.1Gi", "1181116006400m"), ("2Ti", "2Ti"),
            ("1P", "1P"), ("3k", "3k"), ("1.00000000000000000000000000000000001Gi", "1073741824000000001n"),
        ])
    func canonicalForm(text: String, canonical: String) throws {
        #expect(try Quantity(parsing: text).description == canonical)
    }

    @Test("the canonical form reads back as the same amount", arguments: ["1.1Gi", "0.5", "7Ei", "12e2", "100E", "3u"])
    func roundTrip(text: String) throws {
        let quantity = try Quantity(parsing: text)
        #expect(try Quantity(parsing: quantity.description) == quantity)
    }

    @Test(
        "a text that is no quantity is refused",
        arguments: [
            "", " ", "a", "1.1.1", "1Zi", "1ki", "1KI", "1 Gi", "Gi", "m", ".", "+", "-", "1e", "1E+", "1e3m", "1Kii",
            "--1", "1e99999999999", "0x10", "1_000", "1i", "1mm", "NaN", "1,5", "١",
        ])
    func refused(text: String) {
        #expect(throws: QuantityError.self) { try Quantity(parsing: text) }
    }

    @Test("thousands of digits neither trap nor take long")
    func manyDigits() throws {
        let digits = String(repeating: "9", count: 100_000)
        #expect(try Quantity(parsing: digits).value == .max)
        #expect(try Quantity(parsing: digits + "Ei").value == .max)
        #expect(try Quantity(parsing: "0." + digits).value == 1)
        #expect(try Quantity(parsing: "0." + digits + "Ki").value == 1024)
    }

    @Test("value and milliValue round up and saturate")
    func scaledValues() throws {
        #expect(try Quantity(parsing: "100m").value == 1)
        #expect(try Quantity(parsing: "1001m").value == 2)
        #expect(try Quantity(parsing: "0").value == 0)
        #expect(try Quantity(parsing: "1500u").milliValue == 2)
        #expect(try Quantity(parsing: "2").milliValue == 2000)
        #expect(try Quantity(parsing: "64Gi").value == 68_719_476_736)
        #expect(try Quantity(parsing: "7Ei").milliValue == .max)
        #expect(try Quantity(parsing: "-1500m").value == -2)
        #expect(Quantity.bytes(1 << 30).description == "1Gi")
        #expect(Quantity.milli(250).description == "250m")
        #expect(Quantity.cores(4).description == "4")
        #expect(Quantity.bytes(.min).value == .min)
    }

    @Test("quantities compare by amount, however they are written")
    func comparison() throws {
        #expect(try Quantity(parsing: "1024Mi") == Quantity(parsing: "1Gi"))
        #expect(try Quantity(parsing: "0.5") == Quantity(parsing: "500m"))
        #expect(try Quantity(parsing: "1e3").hashValue == Quantity(parsing: "1k").hashValue)
        #expect(try Quantity(parsing: "1G") < Quantity(parsing: "1Gi"))
        #expect(try Quantity(parsing: "-1") < Quantity(parsing: "1n"))
    }

    @Test("sums keep the left format and are exact")
    func arithmetic() throws {
        #expect(try (Quantity(parsing: "1Gi") + Quantity(parsing: "512Mi")).description == "1536Mi")
        #expect(try (Quantity(parsing: "0.1") + Quantity(parsing: "0.2")).description == "300m")
        #expect(try (Quantity.zero + Quantity(parsing: "1Ki")).description == "1Ki")
        #expect(try (Quantity(parsing: "1") - Quantity(parsing: "1500m")).description == "-500m")
        let large = try Quantity(parsing: "100000000000E")
        var sum = large
        for _ in 0..<100 { sum += large }
        #expect(sum >= large)
    }

    @Test("a quantity decodes from a string or a number and encodes as a string")
    func coding() throws {
        let decoder = JSONValueDecoder()
        #expect(try decoder.decode(Quantity.self, from: "1024Mi").description == "1Gi")
        #expect(try decoder.decode(Quantity.self, from: 2).description == "2")
        #expect(try decoder.decode(Quantity.self, from: 0.5).description == "500m")
        #expect(try decoder.decode(Quantity.self, from: " 1 ").description == "1")
        #expect(try JSONValueEncoder().encode(Quantity(parsing: "1000m")) == "1")
        let error = #expect(throws: JSONDecodingError.self) {
            try decoder.decode([String: Quantity].self, from: ["memory": "1Zi"])
        }
        #expect(error?.description.hasPrefix("memory: quantity \"1Zi\"") == true)
    }
}
