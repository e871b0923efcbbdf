extension CronJob: Defaultable, Validatable, UpdateValidatable {
    /// A job's name is the cron job's and eleven bytes more.
    private static let nameLimit = 52

    public mutating func applyDefaults() {
        spec.concurrencyPolicy = spec.concurrencyPolicy.orDefault("Allow")
        spec.suspend = spec.suspend ?? false
        spec.successfulJobsHistoryLimit = spec.successfulJobsHistoryLimit ?? 3
        spec.failedJobsHistoryLimit = spec.failedJobsHistoryLimit ?? 1
        spec.jobTemplate.spec.template.applyDefaults()
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        if let name = metadata.name, name.utf8.count > Self.nameLimit {
            errors.append(
                .invalid(FieldPath("metadata", "name"), name, "must be no more than \(Self.nameLimit) characters"))
        }
        if spec.schedule.isEmpty {
            errors.append(.required(path.child("schedule")))
        } else if spec.schedule.contains("TZ=") {
            errors.append(
                .invalid(
                    path.child("schedule"), spec.schedule,
                    "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
        } else if let problem = CronSchedule.problem(of: spec.schedule) {
            errors.append(.invalid(path.child("schedule"), spec.schedule, problem))
        }
        if let zone = spec.timeZone {
            let isName = !zone.isEmpty && zone.utf8.count <= 128 && !zone.hasPrefix("/") && !zone.contains("..")
            if !isName { errors.append(.invalid(path.child("timeZone"), zone, "unknown time zone \(zone)")) }
        }
        errors += FieldChecks.vocabulary(
            spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"], at: path.child("concurrencyPolicy"))
        errors += FieldChecks.notNegative(spec.startingDeadlineSeconds, at: path.child("startingDeadlineSeconds"))
        errors += FieldChecks.notNegative(
            spec.successfulJobsHistoryLimit, at: path.child("successfulJobsHistoryLimit"))
        errors += FieldChecks.notNegative(spec.failedJobsHistoryLimit, at: path.child("failedJobsHistoryLimit"))
        return errors + validateJob(at: path.child("jobTemplate", "spec"))
    }

    private func validateJob(at path: FieldPath) -> [FieldError] {
        let job = spec.jobTemplate.spec
        var errors = FieldChecks.notNegative(job.parallelism, at: path.child("parallelism"))
        errors += FieldChecks.notNegative(job.completions, at: path.child("completions"))
        errors += FieldChecks.notNegative(job.backoffLimit, at: path.child("backoffLimit"))
        errors += FieldChecks.notNegative(job.activeDeadlineSeconds, at: path.child("activeDeadlineSeconds"))
        errors += FieldChecks.notNegative(job.ttlSecondsAfterFinished, at: path.child("ttlSecondsAfterFinished"))
        if job.manualSelector == true {
            errors.append(
                .notSupported(path.child("manualSelector"), "true", ["nil", "false"]))
        }
        // Without a policy of its own the template gets the one that suits no job.
        errors += job.template.validate(
            at: path.child("template"), selector: nil, restartPolicies: ["Never", "OnFailure"])
        return errors
    }

    public func validateUpdate(old: CronJob) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}
