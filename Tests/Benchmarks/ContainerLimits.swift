/// The limits that both sides give their containers.
enum ContainerLimits {
    static let cpuShares: UInt64 = 102
    static let cpuQuotaMicroseconds: Int64 = 50_000
    static let memoryBytes: Int64 = 64 << 20
    static let processes: Int64 = 100
    static let hostname = "benchmark"
    static let environment = ["PATH=/bin"]
}
