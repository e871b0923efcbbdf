import KubernetesAPI
import Testing

@Suite("Validation: probes, hooks, restarts, ephemeral containers")
struct ValidationLifecycleTests {
    /// Every message about a pod with one container and `fields` in it.
    private func messages(_ fields: String, kind: String = "containers") throws -> [String] {
        let container = #"{"name":"c","image":"i"\#(fields.isEmpty ? "" : ",")\#(fields)}"#
        let other = kind == "containers" ? "" : #","containers":[{"name":"m","image":"i"}]"#
        var pod = try decodedObject(
            Pod.self, #"{"metadata":{"name":"a","namespace":"b"},"spec":{"\#(kind)":[\#(container)]\#(other)}}"#)
        pod.applyDefaults()
        return pod.validate().map(\.description)
    }

    private static func rule(_ action: String, _ codes: String) -> String {
        #""restartPolicyRules":[{"action":"\#(action)"\#(codes.isEmpty ? "" : ",")\#(codes)}]"#
    }

    private static let otherCodes = #""exitCodes":{"operator":"NotIn","values":[1]}"#
    private static let someCodes = #""exitCodes":{"operator":"In","values":[1]}"#
    private static let exec = #""exec":{"command":["x"]}"#

    @Test(
        "what is right is accepted",
        arguments: [
            #""livenessProbe":{\#(exec),"terminationGracePeriodSeconds":1}"#,
            #""readinessProbe":{"grpc":{"port":1},"successThreshold":3}"#,
            #""startupProbe":{"tcpSocket":{"port":"web"}}"#,
            #""lifecycle":{"postStart":{\#(exec)},"preStop":{"sleep":{"seconds":30}},"stopSignal":"SIGUSR1"}"#,
            #""lifecycle":{"preStop":{"sleep":{"seconds":0}},"stopSignal":"SIGRTMIN+15"}"#,
            #""restartPolicy":"Always",\#(rule("RestartAllContainers", otherCodes))"#,
        ])
    func accepted(fields: String) throws {
        #expect(try messages(fields) == [])
        let sidecar = fields.contains("restartPolicy") ? fields : fields + #","restartPolicy":"Always""#
        #expect(try messages(sidecar, kind: "initContainers") == [])
    }

    private static let wrong: [(String, String)] = [
        (#""livenessProbe":{}"#, "livenessProbe: Required value: must specify a handler type"),
        (
            #""livenessProbe":{\#(exec),"grpc":{"port":1}}"#,
            "livenessProbe.grpc: Forbidden: may not specify more than 1 handler type"
        ),
        (
            #""livenessProbe":{\#(exec),"successThreshold":2}"#,
            "livenessProbe.successThreshold: Invalid value: 2: must be 1"
        ),
        (
            #""startupProbe":{\#(exec),"successThreshold":2}"#,
            "startupProbe.successThreshold: Invalid value: 2: must be 1"
        ),
        (
            #""startupProbe":{\#(exec),"terminationGracePeriodSeconds":0}"#,
            "startupProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"
        ),
        (
            #""readinessProbe":{\#(exec),"terminationGracePeriodSeconds":1}"#,
            "readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes"
        ),
        (
            #""readinessProbe":{\#(exec),"periodSeconds":-1}"#,
            "readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"
        ),
        (
            #""livenessProbe":{"grpc":{"port":0}}"#,
            "livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"
        ),
        (#""lifecycle":{"preStop":{}}"#, "lifecycle.preStop: Required value: must specify a handler type"),
        (
            #""lifecycle":{"postStart":{\#(exec),"sleep":{"seconds":1}}}"#,
            "lifecycle.postStart.sleep: Forbidden: may not specify more than 1 handler type"
        ),
        (
            #""lifecycle":{"preStop":{"sleep":{"seconds":31}}}"#,
            "lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
                + "terminationGracePeriodSeconds (30)"
        ),
        (
            rule("Restart", someCodes),
            "restartPolicy: Required value: must specify restartPolicy when restart rules are used"
        ),
        (
            #""restartPolicy":"Never",\#(rule("Stop", someCodes))"#,
            #"restartPolicyRules[0].action: Unsupported value: "Stop": "#
                + #"supported values: "Restart", "RestartAllContainers""#
        ),
        (
            #""restartPolicy":"Never",\#(rule("Restart", ""))"#,
            "restartPolicyRules[0].exitCodes: Required value: must be specified"
        ),
        (
            #""restartPolicy":"Never",\#(rule("Restart", #""exitCodes":{"operator":"In","values":[]}"#))"#,
            "restartPolicyRules[0].exitCodes.values: Required value: must have at least one value"
        ),
    ]

    @Test("one mistake gives one clear message", arguments: wrong)
    func refused(fields: String, message: String) throws {
        #expect(try messages(fields) == ["spec.containers[0].\(message)"])
    }

    @Test("a signal that does not exist is refused", arguments: ["SIGFOO", "TERM", "SIGRTMIN+16", "15", "sigterm"])
    func stopSignals(name: String) throws {
        let found = try messages(#""lifecycle":{"stopSignal":"\#(name)"}"#)
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(#"spec.containers[0].lifecycle.stopSignal: Unsupported value: "\#(name)""#) == true)
    }

    @Test("an init container that ends has neither probes nor hooks")
    func initContainers() throws {
        #expect(
            try messages(
                #""livenessProbe":{\#(Self.exec)},"lifecycle":{"preStop":{\#(Self.exec)}}"#, kind: "initContainers")
                == ["lifecycle", "livenessProbe"].map {
                    "spec.initContainers[0].\($0): Forbidden: may not be set for init containers without "
                        + "restartPolicy=Always"
                })
    }

    @Test("a deadline is at least a second")
    func deadline() throws {
        var pod = Pod(
            metadata: ObjectMeta(name: "a", namespace: "b"),
            spec: PodSpec(containers: [Container(name: "c", image: "i")]))
        pod.applyDefaults()
        for (seconds, count) in [(Int64(1), 0), (0, 1), (-1, 1)] {
            pod.spec.activeDeadlineSeconds = seconds
            #expect(pod.validate().count == count)
        }
    }

    @Test("ephemeral containers are only added")
    func ephemeralContainers() {
        let first = EphemeralContainer(name: "e", image: "i", env: [EnvVar(name: "A", value: "hunter2")])
        let old = Pod(spec: PodSpec(containers: [], ephemeralContainers: [first]))
        var new = old
        new.spec.ephemeralContainers = [EphemeralContainer(name: "f", image: "i"), first]
        #expect(new.validateEphemeralContainersUpdate(old: old) == [])
        new.spec.ephemeralContainers?[1].env = nil
        let changed = new.validateEphemeralContainersUpdate(old: old).map(\.description)
        #expect(
            changed == [
                #"spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be changed"#
            ])
        new.spec.ephemeralContainers = nil
        #expect(
            new.validateEphemeralContainersUpdate(old: old).map(\.description) == [
                #"spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be removed"#
            ])
        #expect(old.validateCreate().count == 1)
        #expect(new.validateCreate() == [])
    }
}
