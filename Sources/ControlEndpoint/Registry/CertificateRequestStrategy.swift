internal import KubernetesAPI

/// Certificate requests: who asks is filled in, what was asked stays, and what is approved is signed at once where the
/// signer is the endpoint's own.
struct CertificateRequestStrategy: ResourceStrategy {
    static let id = ResourceID(group: "certificates.k8s.io", plural: "certificatesigningrequests")
    private static let requesterFields = ["username", "uid", "groups", "extra"]

    var hasStatus: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = [:]
        for field in Self.requesterFields { object.set(nil, at: "spec", field) }
        if let requester = context.requester {
            object.set(.string(requester.name), at: "spec", "username")
            if !requester.uid.isEmpty { object.set(.string(requester.uid), at: "spec", "uid") }
            object.set(.array(requester.allGroups.sorted().map(JSONValue.string)), at: "spec", "groups")
            if !requester.extra.isEmpty {
                let extra = requester.extra.mapValues { JSONValue.array($0.map(JSONValue.string)) }
                object.set(.object(extra), at: "spec", "extra")
            }
        }
        let (name, text) = (object.string("metadata", "name"), object.string("spec", "request"))
        guard !text.isEmpty else { return }
        do throws(CertificateSigner.Refusal) {
            let request = try CertificateSigner.request(text)
            guard
                object.string("spec", "signerName") != CertificateSigner.Signer.client.rawValue
                    || !CertificateSigner.groups(of: request).contains(Identity.mastersGroup)
            else {
                throw CertificateSigner.Refusal(description: "")
            }
        } catch  where error.description.isEmpty {
            throw .forbidden(
                Self.id, name,
                "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed")
        } catch {
            throw .invalid(
                CertificateSigningRequest.definition, name,
                [.invalid(FieldPath("spec", "request"), text, error.description)])
        }
        approveNode(&object, context)
    }

    /// A node that joins, renews its own certificate or wants one for what it serves, waits for nobody where its role says so.
    private func approveNode(_ object: inout JSONValue, _ context: StrategyContext) {
        let signerName = object.string("spec", "signerName")
        guard let signer = CertificateSigner.Signer(rawValue: signerName), let requester = context.requester,
            let request = try? CertificateSigner.request(object.string("spec", "request")),
            let name = CertificateSigner.name(in: request)
        else { return }
        let kinds: [String]
        switch signer {
        case .client: return
        case .node: kinds = requester.name == name ? ["selfnodeclient", "nodeclient"] : ["nodeclient"]
        case .serving:
            guard NodeServingNames(request, of: name, context.store)?.areItsOwn(reserved: context.ownNames) == true
            else {
                return
            }
            kinds = requester.name == name ? ["selfnodeserver", "nodeserver"] : ["nodeserver"]
        }
        let isAllowed = kinds.contains { kind in
            let target = AccessRequest.Target.resource(
                group: Self.id.group, resource: Self.id.plural, subresource: kind, namespace: "", name: "")
            return context.access.reason(requester, AccessRequest(verb: "create", target: target)) != nil
        }
        guard isAllowed else { return }
        let use = signer == .serving ? "serving" : "client"
        let approved: JSONValue = [
            "type": "Approved", "status": "True", "reason": "AutoApproved",
            "message": .string("Auto approving kubelet \(use) certificate after SubjectAccessReview."),
        ]
        object.set([approved], at: "status", "conditions")
        stamp(&object, [:], context.now)
        sign(&object, signerName, context)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        object["spec"] = old["spec"]
        let (before, after) = (Self.conditions(of: old), Self.conditions(of: object))
        let name = old.string("metadata", "name")
        for type in ["Approved", "Denied"] where before[type] != nil && after[type] == nil {
            throw .invalid(
                CertificateSigningRequest.definition, name,
                [
                    .forbidden(
                        FieldPath("status", "conditions"), "updates may not remove a condition of type \"\(type)\"")
                ])
        }
        let signerName = object.string("spec", "signerName")
        if after.keys.contains(where: { before[$0] == nil && $0 != "Failed" }) {
            try checkSigner(signerName, verb: "approve", name, context)
        }
        let isNew = object.string("status", "certificate") != old.string("status", "certificate")
        if isNew { try checkSigner(signerName, verb: "sign", name, context) }
        stamp(&object, before, context.now)
        if after["Approved"] != nil { sign(&object, signerName, context) }
    }

    private static func conditions(of object: JSONValue) -> [String: JSONValue] {
        Dictionary(
            object.list("status", "conditions").map { ($0.string("type"), $0) }, uniquingKeysWith: { _, last in last })
    }

    /// Deciding for a signer takes more than being allowed to write the decision.
    private func checkSigner(
        _ signerName: String, verb: String, _ name: String, _ context: StrategyContext
    ) throws(APIStatusError) {
        guard let requester = context.requester else { return }
        let domain = signerName.split(separator: "/").first.map { "\($0)/*" } ?? ""
        let isAllowed = [signerName, domain].contains { signer in
            let target = AccessRequest.Target.resource(
                group: Self.id.group, resource: "signers", subresource: "", namespace: "", name: signer)
            return context.access.reason(requester, AccessRequest(verb: verb, target: target)) != nil
        }
        guard !isAllowed else { return }
        throw .forbidden(
            Self.id, name, "user not permitted to \(verb) requests with signerName \"\(signerName)\"")
    }

    /// The times of conditions that have none yet.
    private func stamp(_ object: inout JSONValue, _ before: [String: JSONValue], _ now: Timestamp) {
        let stamped = object.list("status", "conditions").map { condition in
            var condition = condition
            for field in ["lastUpdateTime", "lastTransitionTime"] where condition.string(field).isEmpty {
                let known = before[condition.string("type")]?.string(field) ?? ""
                condition[field] = .string(known.isEmpty ? now.rfc3339 : known)
            }
            return condition
        }
        if !stamped.isEmpty { object.set(.array(stamped), at: "status", "conditions") }
    }

    private func sign(_ object: inout JSONValue, _ signerName: String, _ context: StrategyContext) {
        guard let signer = CertificateSigner.Signer(rawValue: signerName), let authority = context.signer,
            object.string("status", "certificate").isEmpty, Self.conditions(of: object)["Failed"] == nil
        else { return }
        let usages = object.list("spec", "usages").compactMap(\.stringValue)
        let seconds = object[path: "spec", "expirationSeconds"]?.intValue.map { Int32(clamping: $0) }
        do throws(CertificateSigner.Refusal) {
            let certificate = try authority.sign(
                object.string("spec", "request"), as: signer, usages: usages, seconds: seconds, now: context.now.seconds
            )
            object.set(.string(certificate), at: "status", "certificate")
        } catch {
            let failed: JSONValue = [
                "type": "Failed", "status": "True", "reason": "SignerValidationFailure",
                "message": .string(error.description), "lastUpdateTime": .string(context.now.rfc3339),
                "lastTransitionTime": .string(context.now.rfc3339),
            ]
            object.set(.array(object.list("status", "conditions") + [failed]), at: "status", "conditions")
        }
    }
}
