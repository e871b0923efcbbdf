/// The rig itself: the same seed is the same world, byte for byte, and other seeds are other worlds.
struct SelfTestCommand {
    func run() -> Bool {
        var hashes: Set<UInt64> = []
        for seed in UInt64(1)...40 {
            var first = RandomWorld(seed: seed, keepsTrace: true)
            var second = RandomWorld(seed: seed, keepsTrace: true)
            let (one, other) = (first.run().trace, second.run().trace)
            guard one.lines == other.lines else {
                print("FAILED seed \(seed): two runs differ")
                for (left, right) in zip(one.lines, other.lines) where left != right {
                    print("    \(left)\n    \(right)")
                    break
                }
                return false
            }
            hashes.insert(one.hash)
        }
        print("40 seeds: the same seed gives the same trace, \(hashes.count) different worlds")
        return hashes.count == 40
    }
}
