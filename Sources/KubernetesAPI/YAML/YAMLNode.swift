internal import Yams

/// The parser's node; the API has a `Node` of its own.
typealias YAMLNode = Yams.Node
