extension ObjectMeta: PatchMergedPrimitiveLists {
    public static var mergedPrimitiveLists: Set<String> { ["finalizers"] }
}

extension NodeSpec: PatchMergedPrimitiveLists {
    public static var mergedPrimitiveLists: Set<String> { ["podCIDRs"] }
}
