import KubernetesAPI
import Testing

@Suite("Validation: pods")
struct ValidationPodTests {
    /// A valid pod with `container` merged into its only container and `spec` into its spec.
    private func pod(spec: String = "{}", container: String = "{}") throws -> Pod {
        let base = #"{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"name":"c","image":"i:1"}]}}"#
        var value = try JSONValue(parsing: base.utf8)
        let containerFields = try JSONValue(parsing: container.utf8).objectValue ?? [:]
        let specFields = try JSONValue(parsing: spec.utf8).objectValue ?? [:]
        var specValue = value["spec"] ?? .null
        var containerValue = specValue["containers"]?[0] ?? .null
        for (key, field) in containerFields { containerValue[key] = field }
        specValue["containers"] = .array([containerValue])
        for (key, field) in specFields { specValue[key] = field }
        value["spec"] = specValue
        var pod = try JSONValueDecoder().decode(Pod.self, from: value)
        pod.applyDefaults()
        return pod
    }

    private func messages(_ pod: Pod) -> [String] { pod.validate().map(\.description) }

    @Test("a minimal pod is valid, and so is a large one")
    func validPods() throws {
        #expect(messages(try pod()) == [])
        var large = try JSONValueDecoder().decode(Pod.self, from: TypesFixture.read("pod-web.json"))
        large.applyDefaults()
        #expect(messages(large) == [])
    }

    @Test("an empty object names everything it lacks")
    func emptyPod() throws {
        var empty = try decodedObject(Pod.self, "{}")
        empty.applyDefaults()
        #expect(
            messages(empty) == [
                "metadata.name: Required value: name or generateName is required",
                "metadata.namespace: Required value", "spec.containers: Required value",
            ])
    }

    static let containerCases: [(String, [String])] = [
        (#"{"name":""}"#, ["spec.containers[0].name: Required value"]),
        (#"{"image":""}"#, ["spec.containers[0].image: Required value"]),
        (
            #"{"image":" i"}"#,
            [#"spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace"#]
        ),
        (
            #"{"imagePullPolicy":"Sometimes"}"#,
            [
                #"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": "#
                    + #"supported values: "Always", "IfNotPresent", "Never""#
            ]
        ),
        (
            #"{"ports":[{"containerPort":0},{"containerPort":65536},{"containerPort":1,"name":"UP"}]}"#,
            [
                "spec.containers[0].ports[0].containerPort: Required value",
                "spec.containers[0].ports[1].containerPort: Invalid value: 65536: "
                    + "must be between 1 and 65535, inclusive",
                #"spec.containers[0].ports[2].name: Invalid value: "UP": "#
                    + "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                #"spec.containers[0].ports[2].name: Invalid value: "UP": must contain at least one letter (a-z)"#,
            ]
        ),
        (
            #"{"ports":[{"containerPort":1,"name":"x"},{"containerPort":2,"name":"x"}]}"#,
            [#"spec.containers[0].ports[1].name: Duplicate value: "x""#]
        ),
        (
            #"{"ports":[{"containerPort":1,"hostPort":5},{"containerPort":2,"hostPort":5}]}"#,
            ["spec.containers[0].ports[1].hostPort: Duplicate value: 5"]
        ),
        (
            #"{"volumeMounts":[{"name":"x","mountPath":"/x"}]}"#,
            [#"spec.containers[0].volumeMounts[0].name: Not found: "x""#]
        ),
        (
            #"{"env":[{"name":"A=B"},{"name":""}]}"#,
            [
                #"spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment variable name must "#
                    + "consist only of printable ASCII characters other than '='",
                "spec.containers[0].env[1].name: Required value",
            ]
        ),
        (
            #"{"env":[{"name":"A","value":"x","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}"#,
            [
                #"spec.containers[0].env[0].valueFrom: Invalid value: "": "#
                    + "may not be specified when `value` is not empty"
            ]
        ),
        (
            #"{"resources":{"limits":{"cpu":"1"},"requests":{"cpu":"2"}}}"#,
            [
                #"spec.containers[0].resources.requests: Invalid value: "2": "#
                    + "must be less than or equal to cpu limit of 1"
            ]
        ),
        (
            #"{"resources":{"requests":{"memory":"-1"}}}"#,
            [
                #"spec.containers[0].resources.requests[memory]: Invalid value: "-1": "#
                    + "must be greater than or equal to 0"
            ]
        ),
        (
            #"{"resources":{"limits":{"cpus":"1"}}}"#,
            [
                #"spec.containers[0].resources.limits[cpus]: Invalid value: "cpus": "#
                    + "must be a standard resource for containers",
                #"spec.containers[0].resources.requests[cpus]: Invalid value: "cpus": "#
                    + "must be a standard resource for containers",
            ]
        ),
        (
            #"{"securityContext":{"runAsUser":-1,"runAsGroup":2147483648}}"#,
            [
                "spec.containers[0].securityContext.runAsUser: Invalid value: -1: "
                    + "must be between 0 and 2147483647, inclusive",
                "spec.containers[0].securityContext.runAsGroup: Invalid value: 2147483648: "
                    + "must be between 0 and 2147483647, inclusive",
            ]
        ),
        (#"{"livenessProbe":{}}"#, ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]),
        (
            #"{"livenessProbe":{"exec":{"command":["x"]},"grpc":{"port":1},"successThreshold":2}}"#,
            [
                "spec.containers[0].livenessProbe.grpc: Forbidden: may not specify more than 1 handler type",
                "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
            ]
        ),
        (
            #"{"readinessProbe":{"exec":{},"periodSeconds":-5}}"#,
            [
                "spec.containers[0].readinessProbe.exec.command: Required value",
                "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -5: "
                    + "must be greater than or equal to 0",
            ]
        ),
        (
            #"{"lifecycle":{"preStop":{"sleep":{"seconds":31}}}}"#,
            [
                "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: "
                    + "must be non-negative and less than terminationGracePeriodSeconds (30)"
            ]
        ),
        (
            #"{"command":["a\u0000b"]}"#,
            [
                #"spec.containers[0].command[0]: Invalid value: "a\u0000b": must not contain the NUL character"#
            ]
        ),
    ]

    @Test("one mistake in a container gives one clear message", arguments: containerCases)
    func containers(fields: String, expected: [String]) throws {
        #expect(messages(try pod(container: fields)) == expected)
    }

    static let specCases: [(String, [String])] = [
        (
            #"{"restartPolicy":"Sometimes"}"#,
            [
                #"spec.restartPolicy: Unsupported value: "Sometimes": supported values: "#
                    + #""Always", "Never", "OnFailure""#
            ]
        ),
        (
            #"{"dnsPolicy":"None"}"#,
            ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]
        ),
        (
            #"{"terminationGracePeriodSeconds":-1}"#,
            ["spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0"]
        ),
        (
            #"{"activeDeadlineSeconds":0}"#,
            ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]
        ),
        (
            #"{"containers":[{"name":"a","image":"i"},{"name":"a","image":"i"}]}"#,
            [#"spec.containers[1].name: Duplicate value: "a""#]
        ),
        (
            #"{"volumes":[{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}]}"#,
            [#"spec.volumes[1].name: Duplicate value: "v""#]
        ),
        (
            #"{"volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/a/../b"}}]}"#,
            [
                "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
                #"spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'"#,
            ]
        ),
        (
            #"{"volumes":[{"name":"v","hostPath":{"path":"/a","type":"Dir"}}]}"#,
            [
                #"spec.volumes[0].hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "#
                    + #""CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket""#
            ]
        ),
        (
            #"{"volumes":[{"name":"v","configMap":{"name":"c","defaultMode":512,"items":["#
                + #"{"key":"","path":"/x"},{"key":"k","path":"..x"}]}}]}"#,
            [
                "spec.volumes[0].configMap.defaultMode: Invalid value: 512: "
                    + "must be a number between 0 and 0777 (octal), both inclusive",
                "spec.volumes[0].configMap.items[0].key: Required value",
                #"spec.volumes[0].configMap.items[0].path: Invalid value: "/x": must be a relative path"#,
                #"spec.volumes[0].configMap.items[1].path: Invalid value: "..x": must not start with '..'"#,
            ]
        ),
        (
            #"{"volumes":[{"name":"v","emptyDir":{"sizeLimit":"-1"}}]}"#,
            ["spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"]
        ),
        (
            #"{"volumes":[{"name":"v","projected":{"sources":["#
                + #"{"secret":{"name":"a","items":[{"key":"k","path":"p"}]}},"#
                + #"{"configMap":{"name":"b","items":[{"key":"k","path":"p"}]}}]}}]}"#,
            [#"spec.volumes[0].projected.sources[1]: Invalid value: "p": conflicting duplicate paths"#]
        ),
        (
            #"{"hostPID":true,"shareProcessNamespace":true}"#,
            [
                "spec.shareProcessNamespace: Invalid value: true: "
                    + "ShareProcessNamespace and HostPID cannot both be enabled"
            ]
        ),
        (
            #"{"hostUsers":false,"hostNetwork":true}"#,
            ["spec.hostNetwork: Forbidden: when `hostUsers` is false"]
        ),
        (
            #"{"hostAliases":[{"ip":"1.2.3.04"}]}"#,
            [
                #"spec.hostAliases[0].ip: Invalid value: "1.2.3.04": "#
                    + "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            ]
        ),
        (
            #"{"tolerations":[{"operator":"Exists","effect":"NoSchedule","tolerationSeconds":1}]}"#,
            [
                #"spec.tolerations[0].effect: Invalid value: "NoSchedule": "#
                    + "effect must be 'NoExecute' when `tolerationSeconds` is set"
            ]
        ),
        (
            #"{"initContainers":[{"name":"i","image":"i","readinessProbe":{"exec":{"command":["x"]}}}]}"#,
            [
                "spec.initContainers[0].readinessProbe: Forbidden: "
                    + "may not be set for init containers without restartPolicy=Always"
            ]
        ),
        (
            #"{"ephemeralContainers":[{"name":"e","image":"i","targetContainerName":"zz","#
                + #""ports":[{"containerPort":1}]}]}"#,
            [
                #"spec.ephemeralContainers[0].targetContainerName: Not found: "zz""#,
                "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
            ]
        ),
        (
            #"{"securityContext":{"fsGroup":-1,"sysctls":[{"name":"kernel/../x","value":"1"}]}}"#,
            [
                "spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                #"spec.securityContext.sysctls[0].name: Invalid value: "kernel/../x": must have at most 253 "#
                    + "characters and consist of parts of a-z, 0-9, '-' and '_' joined by '.' or '/'",
            ]
        ),
        (
            #"{"overhead":{"cpu":"-1"}}"#,
            [#"spec.overhead[cpu]: Invalid value: "-1": must be greater than or equal to 0"#]
        ),
        (
            #"{"topologySpreadConstraints":[{"maxSkew":0,"topologyKey":"","whenUnsatisfiable":"x"}]}"#,
            [
                "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
                #"spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "x": "#
                    + #"supported values: "DoNotSchedule", "ScheduleAnyway""#,
            ]
        ),
    ]

    @Test("one mistake in the spec gives one clear message", arguments: specCases)
    func specs(fields: String, expected: [String]) throws {
        #expect(messages(try pod(spec: fields)) == expected)
    }

    @Test("mounts must be where nothing else is and stay inside their volume")
    func mounts() throws {
        let bad = try pod(
            spec: #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            container:
                #"{"volumeMounts":[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/a"},"#
                + #"{"name":"v","mountPath":""},{"name":"v","mountPath":"/s","subPath":"../x"},"#
                + #"{"name":"v","mountPath":"/t","subPath":"/abs"},"#
                + #"{"name":"v","mountPath":"/u","mountPropagation":"Bidirectional"},"#
                + #"{"name":"v","mountPath":"/w","recursiveReadOnly":"Enabled"}],"#
                + #""volumeDevices":[{"name":"v","devicePath":"/d"}]}"#)
        let path = "spec.containers[0].volumeMounts"
        #expect(
            messages(bad) == [
                #"\#(path)[1].mountPath: Invalid value: "/a": must be unique"#,
                "\(path)[2].mountPath: Required value",
                #"\#(path)[3].subPath: Invalid value: "../x": must not contain '..'"#,
                #"\#(path)[4].subPath: Invalid value: "/abs": must be a relative path"#,
                "\(path)[5].mountPropagation: Forbidden: "
                    + "Bidirectional mount propagation is available only to privileged containers",
                "\(path)[6].recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
                #"spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of "#
                    + "PersistentVolumeClaim or Ephemeral for block mode",
            ])
    }

    @Test(
        "a quantity is an error or it is fine, and never a trap",
        arguments: ["-1", "9Ei9", "", "1e", "9223372036854775808", "99999999999999999999Ei", "0", "NaN"])
    func quantities(text: String) throws {
        // Whatever the text, the answer is a decoding error or a list of field errors, never a trap.
        let limits = #"{"memory":"\#(text)","cpu":"\#(text)","hugepages-2Mi":"\#(text)"}"#
        let fields = #"{"resources":{"limits":\#(limits),"requests":{"cpu":"\#(text)","memory":"\#(text)"}}}"#
        let decodes = (try? pod(container: fields)) != nil
        #expect(decodes == !["9Ei9", "", "1e", "NaN"].contains(text))
        guard decodes else { return }
        let pod = try pod(container: fields)
        let errors = messages(pod)
        if text == "-1" { #expect(errors.count { $0.contains("must be greater than or equal to 0") } == 6) }
        if text == "0" { #expect(errors == []) }
    }

    @Test("extreme numbers are reported, never trapped on", arguments: [Int32.min, -1, 0, 1, Int32.max])
    func extremeNumbers(number: Int32) throws {
        let wide = number == .max ? Int64.max : number == .min ? Int64.min : Int64(number)
        var pod = try pod()
        pod.spec.terminationGracePeriodSeconds = wide
        pod.spec.activeDeadlineSeconds = wide
        pod.spec.priority = number
        pod.spec.securityContext = PodSecurityContext(runAsUser: wide, supplementalGroups: [wide], fsGroup: wide)
        pod.metadata.generation = wide
        var container = pod.spec.containers[0]
        container.ports = [ContainerPort(hostPort: number, containerPort: number)]
        container.livenessProbe = Probe(
            tcpSocket: TCPSocketAction(port: .int(number)), initialDelaySeconds: number, timeoutSeconds: number,
            periodSeconds: number, successThreshold: number, failureThreshold: number,
            terminationGracePeriodSeconds: wide)
        container.lifecycle = Lifecycle(preStop: LifecycleHandler(sleep: SleepAction(seconds: wide)))
        container.securityContext = SecurityContext(runAsUser: wide, runAsGroup: wide)
        pod.spec.containers = [container]
        pod.spec.volumes = [Volume(name: "v", secret: SecretVolumeSource(secretName: "s", defaultMode: number))]
        let errors = pod.validate()
        #expect(errors.isEmpty == (number == 1))
        #expect(!JSONValue.string("\(errors)").serialized().isEmpty)
    }

    @Test("more containers than any node could run are refused at once")
    func tooManyContainers() throws {
        var pod = try pod()
        pod.spec.containers = Array(repeating: pod.spec.containers[0], count: PodLimits.containers + 1)
        #expect(messages(pod) == ["spec.containers: Too many: 10001: must have at most 10000 items"])
    }

    private enum PodLimits {
        static let containers = 10_000
    }

    @Test("a value of an environment variable never shows in an error")
    func secretsStayOut() throws {
        let pod = try pod(container: #"{"env":[{"name":"A B","value":"hunter2\u0000"}]}"#)
        #expect(messages(pod).count == 1)
        #expect(!messages(pod)[0].contains("hunter2"))
        var changed = pod
        changed.spec.containers[0].env = [EnvVar(name: "A", value: "hunter3")]
        #expect(!changed.validateUpdate(old: pod).map(\.description).joined().contains("hunter"))
    }

    @Test("an update may change images, lower the deadline, add tolerations and remove gates")
    func allowedUpdates() throws {
        let old = try pod(spec: #"{"activeDeadlineSeconds":100,"schedulingGates":[{"name":"example.com/g"}]}"#)
        var new = old
        new.spec.containers[0].image = "i:2"
        new.spec.activeDeadlineSeconds = 50
        new.spec.tolerations = [Toleration(key: "k", operator: "Exists")]
        new.spec.schedulingGates = []
        new.metadata.labels = ["a": "b"]
        #expect(new.validateUpdate(old: old) == [])
        var negative = old
        negative.spec.terminationGracePeriodSeconds = -5
        new = negative
        new.spec.terminationGracePeriodSeconds = 1
        #expect(new.validateUpdate(old: negative) == [])
    }

    @Test("an update may change nothing else, and says what it changed")
    func forbiddenUpdates() throws {
        let old = try pod(spec: #"{"activeDeadlineSeconds":100,"tolerations":[{"key":"k","operator":"Exists"}]}"#)
        var new = old
        new.spec.nodeName = "other"
        new.spec.containers[0].command = ["x"]
        let messages = new.validateUpdate(old: old).map(\.description)
        #expect(messages.count == 1)
        #expect(messages[0].hasPrefix("spec: Forbidden: pod updates may not change fields other than"))
        #expect(messages[0].hasSuffix("changed spec.containers, spec.nodeName"))
        new = old
        new.spec.containers += [Container(name: "x", image: "i")]
        #expect(
            new.validateUpdate(old: old).map(\.description)
                == ["spec.containers: Forbidden: pod updates may not add or remove containers"])
        new = old
        new.spec.activeDeadlineSeconds = 101
        new.spec.tolerations = []
        #expect(
            new.validateUpdate(old: old).map(\.field.description) == ["spec.activeDeadlineSeconds", "spec.tolerations"])
        new = old
        new.spec.containers[0].image = ""
        #expect(new.validateUpdate(old: old).map(\.description) == ["spec.containers[0].image: Required value"])
    }
}
