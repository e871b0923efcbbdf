/// What is asked of one running instance: to end in good order.
struct ContainerStop {
    var id: String
    var name: String
    /// Told in the event, for people.
    var message: String
    /// When its grace is over; nil for when the pod's is, which holds anyway, and may come nearer meanwhile.
    var deadline: Duration?
    /// Containers that end before it is told to.
    var predecessors: Set<String> = []
}
