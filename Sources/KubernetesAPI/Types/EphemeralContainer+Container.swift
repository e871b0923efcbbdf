extension EphemeralContainer {
    /// Everything it shares with an ordinary container; all but `targetContainerName`.
    public var container: Container {
        get {
            Container(
                name: name, image: image, command: command, args: args, workingDir: workingDir, ports: ports,
                envFrom:
                    envFrom, env: env, resources: resources, resizePolicy: resizePolicy, restartPolicy: restartPolicy,
                restartPolicyRules: restartPolicyRules, volumeMounts: volumeMounts, volumeDevices: volumeDevices,
                livenessProbe: livenessProbe, readinessProbe: readinessProbe, startupProbe: startupProbe,
                lifecycle:
                    lifecycle, terminationMessagePath: terminationMessagePath,
                terminationMessagePolicy:
                    terminationMessagePolicy, imagePullPolicy: imagePullPolicy, securityContext: securityContext,
                stdin:
                    stdin, stdinOnce: stdinOnce, tty: tty)
        }
        set {
            name = newValue.name
            image = newValue.image
            command = newValue.command
            args = newValue.args
            workingDir = newValue.workingDir
            ports = newValue.ports
            envFrom = newValue.envFrom
            env = newValue.env
            resources = newValue.resources
            resizePolicy = newValue.resizePolicy
            restartPolicy = newValue.restartPolicy
            restartPolicyRules = newValue.restartPolicyRules
            volumeMounts = newValue.volumeMounts
            volumeDevices = newValue.volumeDevices
            livenessProbe = newValue.livenessProbe
            readinessProbe = newValue.readinessProbe
            startupProbe = newValue.startupProbe
            lifecycle = newValue.lifecycle
            terminationMessagePath = newValue.terminationMessagePath
            terminationMessagePolicy = newValue.terminationMessagePolicy
            imagePullPolicy = newValue.imagePullPolicy
            securityContext = newValue.securityContext
            stdin = newValue.stdin
            stdinOnce = newValue.stdinOnce
            tty = newValue.tty
        }
    }
}
