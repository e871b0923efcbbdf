import KubernetesAPI

extension Scenario {
    /// The scenarios, each with a name to find it by.
    static var all: [Scenario] { lives + ends + users }

    private static func container(_ name: String, _ edit: (inout Container) -> Void = { _ in }) -> Container {
        var container = Container(name: name, image: "app:v1")
        edit(&container)
        return container
    }

    private static func sidecar(_ name: String, _ edit: (inout Container) -> Void = { _ in }) -> Container {
        container(name) {
            $0.restartPolicy = "Always"
            edit(&$0)
        }
    }

    private static func script(
        _ lifetime: Duration?, _ code: Int32 = 0, _ edit: (inout ProcessScript) -> Void = { _ in }
    ) -> ProcessScript {
        var script = ProcessScript(lifetime: lifetime, exitCode: code)
        edit(&script)
        return script
    }

    // MARK: How pods live

    private static var lives: [Scenario] {
        [
            Scenario(name: "service") { $0.pod() },
            Scenario(name: "job-succeeds") {
                $0.pod(policy: "Never", scripts: ["app": ContainerScripts(script(.seconds(2)))])
            },
            Scenario(name: "job-fails") {
                $0.pod(policy: "Never", scripts: ["app": ContainerScripts(script(.seconds(2), 3))])
            },
            Scenario(name: "job-tries-again") {
                $0.pod(
                    policy: "OnFailure", scripts: ["app": ContainerScripts(script(.seconds(1), 1), script(.seconds(1)))]
                )
            },
            Scenario(name: "crash-loop") {
                $0.pod(scripts: ["app": ContainerScripts(script(.milliseconds(300), 1))])
            },
            Scenario(name: "two-containers") {
                $0.pod(
                    apps: [container("one"), container("two")],
                    scripts: ["one": ContainerScripts(script(.seconds(3), 1), script(nil))])
            },
            Scenario(name: "init-containers") {
                $0.pod(
                    inits: [container("init0"), container("init1")],
                    scripts: [
                        "init0": ContainerScripts(script(.seconds(1))),
                        "init1": ContainerScripts(script(.seconds(1), 1), script(.seconds(1))),
                    ])
            },
            Scenario(name: "init-fails-for-good") {
                $0.pod(
                    policy: "Never", inits: [container("init0")],
                    scripts: ["init0": ContainerScripts(script(.seconds(1), 9))])
            },
            Scenario(name: "sidecars") {
                $0.pod(
                    policy: "Never",
                    inits: [
                        sidecar("side0") { $0.startupProbe = Stage.probe(.startup, failures: 9) }, sidecar("side1"),
                    ],
                    scripts: [
                        "side0": ContainerScripts(script(nil) { $0.startedAfter = .seconds(2) }),
                        "app": ContainerScripts(script(.seconds(6))),
                    ])
            },
            Scenario(name: "liveness") {
                $0.pod(
                    apps: [container("app") { $0.livenessProbe = Stage.probe(.liveness, grace: 2) }],
                    scripts: [
                        "app": ContainerScripts(
                            script(nil) {
                                $0.livenessFailsAfter = .seconds(4)
                                $0.onTerminate = .ignores
                            }, script(nil))
                    ])
            },
            Scenario(name: "startup-and-readiness") {
                $0.pod(
                    apps: [
                        container("app") {
                            $0.startupProbe = Stage.probe(.startup, failures: 20)
                            $0.readinessProbe = Stage.probe(.readiness)
                        }
                    ],
                    scripts: [
                        "app": ContainerScripts(
                            script(nil) {
                                $0.startedAfter = .seconds(3)
                                $0.readinessChanges = [.seconds(4), .seconds(9), .seconds(13)]
                            })
                    ])
            },
            Scenario(name: "program-missing") {
                $0.pod(scripts: ["app": ContainerScripts(script(nil) { $0.failsToStart = true }, script(nil))])
            },
        ]
    }

    // MARK: How pods end

    private static var ends: [Scenario] {
        [
            Scenario(name: "graceful-deletion") {
                $0.pod(scripts: [
                    "app": ContainerScripts(script(nil) { $0.onTerminate = .exits(after: .seconds(2), code: 0) })
                ])
                $0.delete(at: .seconds(5))
            },
            Scenario(name: "deaf-program") {
                $0.pod(grace: 4, scripts: ["app": ContainerScripts(script(nil) { $0.onTerminate = .ignores })])
                $0.delete(at: .seconds(5))
            },
            Scenario(name: "deletion-while-one-is-stopped") {
                $0.pod(
                    grace: 2,
                    apps: [
                        container("app") {
                            $0.livenessProbe = Stage.probe(.liveness, grace: 6)
                            $0.lifecycle = Lifecycle(preStop: Stage.hook(.preStop))
                        }, container("other"),
                    ],
                    scripts: [
                        "app": ContainerScripts(
                            script(nil) {
                                $0.livenessFailsAfter = .seconds(4)
                                $0.onTerminate = .ignores
                                $0.hookTakes = .seconds(5)
                            }),
                        "other": ContainerScripts(script(nil) { $0.onTerminate = .ignores }),
                    ])
                $0.delete(at: .seconds(8))
            },
            Scenario(name: "hooks") {
                $0.pod(
                    grace: 6,
                    apps: [
                        container("app") {
                            $0.lifecycle = Lifecycle(postStart: Stage.hook(.postStart), preStop: Stage.hook(.preStop))
                        }
                    ],
                    scripts: ["app": ContainerScripts(script(nil) { $0.hookTakes = .seconds(2) })])
                $0.delete(at: .seconds(8))
            },
            Scenario(name: "hook-fails") {
                $0.pod(
                    grace: 2,
                    apps: [container("app") { $0.lifecycle = Lifecycle(postStart: Stage.hook(.postStart)) }],
                    scripts: ["app": ContainerScripts(script(nil) { $0.hookCode = 1 }, script(nil))])
            },
            Scenario(name: "shortened-grace") {
                $0.pod(grace: 30, scripts: ["app": ContainerScripts(script(nil) { $0.onTerminate = .ignores })])
                $0.delete(at: .seconds(5))
                $0.delete(grace: 3, at: .seconds(7))
            },
            Scenario(name: "grace-shortened-twice") {
                $0.pod(grace: 60, scripts: ["app": ContainerScripts(script(nil) { $0.onTerminate = .ignores })])
                $0.delete(at: .seconds(5))
                $0.delete(grace: 50, at: .seconds(7))
                $0.delete(grace: 3, at: .seconds(9))
            },
            Scenario(name: "force-deletion") {
                $0.pod(grace: 30, scripts: ["app": ContainerScripts(script(nil) { $0.onTerminate = .ignores })])
                $0.delete(grace: 0, at: .seconds(5))
            },
            Scenario(name: "sidecars-stop-last") {
                $0.pod(
                    grace: 8, inits: [sidecar("side0"), sidecar("side1")],
                    scripts: [
                        "app": ContainerScripts(script(nil) { $0.onTerminate = .exits(after: .seconds(2), code: 0) })
                    ])
                $0.delete(at: .seconds(6))
            },
            Scenario(name: "deletion-while-starting") {
                $0.pod(inits: [container("init0")], scripts: ["init0": ContainerScripts(script(.seconds(3)))])
                $0.delete(at: .seconds(2))
            },
            Scenario(name: "deadline") {
                $0.pod(grace: 2, edit: { $0.spec.activeDeadlineSeconds = 6 })
            },
        ]
    }

    // MARK: What users do

    private static var users: [Scenario] {
        [
            Scenario(name: "same-name-again") {
                $0.pod(grace: 3, scripts: ["app": ContainerScripts(script(nil) { $0.onTerminate = .ignores })])
                $0.delete(grace: 0, at: .seconds(4))
                $0.pod(at: .milliseconds(4200))
            },
            Scenario(name: "new-image") {
                $0.pod(grace: 3)
                $0.at(.seconds(5)) { world in
                    world.api.edit("default/pod") { $0.spec.containers[0].image = "app:v2" }
                }
            },
            Scenario(name: "static-pod-changes") {
                $0.manifest(
                    "web", version: 1, at: .milliseconds(100),
                    scripts: [
                        "app": ContainerScripts(script(nil) { $0.onTerminate = .exits(after: .seconds(1), code: 0) })
                    ])
                $0.manifest("web", version: 2, at: .seconds(5), replacing: 1)
            },
            Scenario(name: "reboot") {
                $0.pod()
                $0.pod("job", policy: "OnFailure", scripts: ["app": ContainerScripts(script(.seconds(3)))])
                $0.at(.seconds(7)) { $0.reboot() }
            },
            Scenario(name: "endpoint-away") {
                $0.pod(scripts: ["app": ContainerScripts(script(.seconds(6), 1), script(nil))])
                $0.at(.seconds(4)) { $0.faults.isEndpointDown = true }
                $0.at(.seconds(15)) { $0.faults.isEndpointDown = false }
            },
            Scenario(name: "agent-restarts-while-stopping") {
                $0.pod(
                    grace: 8,
                    scripts: [
                        "app": ContainerScripts(script(nil) { $0.onTerminate = .exits(after: .seconds(4), code: 0) })
                    ])
                $0.delete(at: .seconds(4))
                $0.at(.seconds(5)) { $0.restartGracefully(after: .milliseconds(500)) }
            },
        ]
    }
}
