internal import KubernetesAPI

/// The table of certificate requests.
extension TableLayout {
    static let certificateRequests = TableLayout(
        columns: [
            nameColumn, ageColumn, Column(name: "SignerName", description: "Who is to sign."),
            Column(name: "Requestor", description: "Who asked."),
            Column(name: "RequestedDuration", description: "How long the certificate should be good for."),
            Column(name: "Condition", description: "What has become of it."),
        ]
    ) { request, now in
        let seconds = request[path: "spec", "expirationSeconds"]?.intValue
        let types = request.list("status", "conditions").map { $0.string("type") }
        let decision = types.contains("Denied") ? "Denied" : types.contains("Approved") ? "Approved" : "Pending"
        let failure = types.contains("Failed") ? ",Failed" : ""
        let issued = request.string("status", "certificate").isEmpty ? "" : ",Issued"
        return [
            name(request), age(request, now), .string(request.string("spec", "signerName")),
            .string(request.string("spec", "username")),
            .string(seconds.map { HumanDuration.text(seconds: $0) } ?? "<none>"),
            .string(decision + failure + issued),
        ]
    }
}
