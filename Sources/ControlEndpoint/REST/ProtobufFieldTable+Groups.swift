extension ProtobufFieldTable {
    /// The kinds outside the core group; see ``ProtobufFieldTable`` for the form.
    static let groups = """
        AggregationRule 1=clusterRoleSelectors:rLabelSelector
        BoundObjectReference 1?=kind:s 2?=apiVersion:s 3?=name:s 4?=uid:s
        CertificateSigningRequest 1=metadata:ObjectMeta 2=spec:CertificateSigningRequestSpec
          3=status:CertificateSigningRequestStatus
        CertificateSigningRequestCondition 1=type:s 6=status:s 2?=reason:s 3?=message:s 4=lastUpdateTime:T
          5=lastTransitionTime:T
        CertificateSigningRequestSpec 1=request:y 7=signerName:s 8=expirationSeconds:i 5=usages:rs 2?=username:s
          3?=uid:s 4=groups:rs
        CertificateSigningRequestStatus 1=conditions:rCertificateSigningRequestCondition 2?=certificate:y
        ClusterRole 1=metadata:ObjectMeta 2=rules:rPolicyRule 3=aggregationRule:AggregationRule
        ClusterRoleBinding 1=metadata:ObjectMeta 2=subjects:rSubject 3=roleRef:RoleRef
        CronJob 1=metadata:ObjectMeta 2=spec:CronJobSpec 3=status:CronJobStatus
        CronJobSpec 1=schedule:s 8=timeZone:s 2=startingDeadlineSeconds:i 3?=concurrencyPolicy:s 4=suspend:b
          5=jobTemplate:JobTemplateSpec 6=successfulJobsHistoryLimit:i 7=failedJobsHistoryLimit:i
        CronJobStatus 1=active:rObjectReference 4=lastScheduleTime:T 5=lastSuccessfulTime:T
        CrossVersionObjectReference 1=kind:s 2=name:s 3?=apiVersion:s
        DaemonSet 1=metadata:ObjectMeta 2=spec:DaemonSetSpec 3=status:DaemonSetStatus
        DaemonSetCondition 1=type:s 2=status:s 3=lastTransitionTime:T 4?=reason:s 5?=message:s
        DaemonSetSpec 1=selector:LabelSelector 2=template:PodTemplateSpec 3=updateStrategy:DaemonSetUpdateStrategy
          4?=minReadySeconds:i 6=revisionHistoryLimit:i
        DaemonSetStatus 1=currentNumberScheduled:i 2=numberMisscheduled:i 3=desiredNumberScheduled:i 4=numberReady:i
          5?=observedGeneration:i 6?=updatedNumberScheduled:i 7?=numberAvailable:i 8?=numberUnavailable:i
          9=collisionCount:i 10=conditions:rDaemonSetCondition
        DaemonSetUpdateStrategy 1?=type:s 2=rollingUpdate:RollingUpdateDaemonSet
        Deployment 1=metadata:ObjectMeta 2=spec:DeploymentSpec 3=status:DeploymentStatus
        DeploymentCondition 1=type:s 2=status:s 6=lastUpdateTime:T 7=lastTransitionTime:T 4?=reason:s 5?=message:s
        DeploymentSpec 1=replicas:i 2=selector:LabelSelector 3=template:PodTemplateSpec 4=strategy:DeploymentStrategy
          5?=minReadySeconds:i 6=revisionHistoryLimit:i 7?=paused:b 9=progressDeadlineSeconds:i
        DeploymentStatus 1?=observedGeneration:i 2?=replicas:i 3?=updatedReplicas:i 7?=readyReplicas:i
          4?=availableReplicas:i 5?=unavailableReplicas:i 9=terminatingReplicas:i 6=conditions:rDeploymentCondition
          8=collisionCount:i
        DeploymentStrategy 1?=type:s 2=rollingUpdate:RollingUpdateDeployment
        Eviction 1=metadata:ObjectMeta 2=deleteOptions:DeleteOptions
        FieldSelectorAttributes 1?=rawSelector:s
        HorizontalPodAutoscaler 1=metadata:ObjectMeta 2=spec:HorizontalPodAutoscalerSpec
          3=status:HorizontalPodAutoscalerStatus
        HorizontalPodAutoscalerSpec 1=scaleTargetRef:CrossVersionObjectReference 2=minReplicas:i 3=maxReplicas:i
          4=targetCPUUtilizationPercentage:i
        HorizontalPodAutoscalerStatus 1=observedGeneration:i 2=lastScaleTime:T 3=currentReplicas:i 4=desiredReplicas:i
          5=currentCPUUtilizationPercentage:i
        autoscaling/v2.HorizontalPodAutoscaler 1=metadata:ObjectMeta 2=spec:autoscaling/v2.HorizontalPodAutoscalerSpec
        autoscaling/v2.HorizontalPodAutoscalerSpec 1=scaleTargetRef:CrossVersionObjectReference 2=minReplicas:i
          3=maxReplicas:i 4=metrics:rMetricSpec 5=behavior:HorizontalPodAutoscalerBehavior
        ContainerResourceMetricSource 1=name:s 2=target:MetricTarget 3=container:s
        ExternalMetricSource 1=metric:MetricIdentifier 2=target:MetricTarget
        HPAScalingPolicy 1=type:s 2=value:i 3=periodSeconds:i
        HPAScalingRules 1=selectPolicy:s 2=policies:rHPAScalingPolicy 3=stabilizationWindowSeconds:i 4=tolerance:Q
        HorizontalPodAutoscalerBehavior 1=scaleUp:HPAScalingRules 2=scaleDown:HPAScalingRules
        MetricIdentifier 1=name:s 2=selector:LabelSelector
        MetricSpec 1=type:s 2=object:ObjectMetricSource 3=pods:PodsMetricSource 4=resource:ResourceMetricSource
          5=external:ExternalMetricSource 7=containerResource:ContainerResourceMetricSource
        MetricTarget 1=type:s 2=value:Q 3=averageValue:Q 4=averageUtilization:i
        ObjectMetricSource 1=describedObject:CrossVersionObjectReference 2=target:MetricTarget 3=metric:MetricIdentifier
        PodsMetricSource 1=metric:MetricIdentifier 2=target:MetricTarget
        ResourceMetricSource 1=name:s 2=target:MetricTarget
        events.k8s.io/v1.Event 1=metadata:ObjectMeta 2=eventTime:U 3=series:EventSeries 4?=reportingController:s
          5?=reportingInstance:s 6?=action:s 7?=reason:s 8=regarding:ObjectReference 9=related:ObjectReference
          10?=note:s 11?=type:s 12=deprecatedSource:EventSource 13=deprecatedFirstTimestamp:T
          14=deprecatedLastTimestamp:T 15?=deprecatedCount:i
        HTTPIngressPath 1=path:s 3=pathType:s 2=backend:IngressBackend
        HTTPIngressRuleValue 1=paths:rHTTPIngressPath
        Ingress 1=metadata:ObjectMeta 2=spec:IngressSpec
        IngressBackend 4=service:IngressServiceBackend 3=resource:TypedLocalObjectReference
        IngressRule 1?=host:s 2=@:IngressRuleValue
        IngressRuleValue 1=http:HTTPIngressRuleValue
        IngressServiceBackend 1=name:s 2=port:ServiceBackendPort
        IngressSpec 4=ingressClassName:s 1=defaultBackend:IngressBackend 2=tls:rIngressTLS 3=rules:rIngressRule
        IngressTLS 1=hosts:rs 2?=secretName:s
        Job 1=metadata:ObjectMeta 2=spec:JobSpec 3=status:JobStatus
        JobCondition 1=type:s 2=status:s 3=lastProbeTime:T 4=lastTransitionTime:T 5?=reason:s 6?=message:s
        JobSpec 1=parallelism:i 2=completions:i 3=activeDeadlineSeconds:i 11=podFailurePolicy:PodFailurePolicy
          16=successPolicy:SuccessPolicy 7=backoffLimit:i 12=backoffLimitPerIndex:i 13=maxFailedIndexes:i
          4=selector:LabelSelector 5=manualSelector:b 6=template:PodTemplateSpec 8=ttlSecondsAfterFinished:i
          9=completionMode:s 10=suspend:b 14=podReplacementPolicy:s 15=managedBy:s
        JobStatus 1=conditions:rJobCondition 2=startTime:T 3=completionTime:T 4?=active:i 5?=succeeded:i 6?=failed:i
          11=terminating:i 7?=completedIndexes:s 10=failedIndexes:s 8=uncountedTerminatedPods:UncountedTerminatedPods
          9=ready:i
        JobTemplateSpec 1=metadata:ObjectMeta 2=spec:JobSpec
        LabelSelectorAttributes 1?=rawSelector:s 2=requirements:rLabelSelectorRequirement
        LimitRange 1=metadata:ObjectMeta 2=spec:LimitRangeSpec
        LimitRangeItem 1=type:s 2=max:mQ 3=min:mQ 4=default:mQ 5=defaultRequest:mQ 6=maxLimitRequestRatio:mQ
        LimitRangeSpec 1=limits:rLimitRangeItem
        LocalSubjectAccessReview 1=metadata:ObjectMeta 2=spec:SubjectAccessReviewSpec
          3=status:SubjectAccessReviewStatus
        NonResourceAttributes 1?=path:s 2?=verb:s
        NonResourceRule 1=verbs:rs 2=nonResourceURLs:rs
        PodDisruptionBudget 1=metadata:ObjectMeta 2=spec:PodDisruptionBudgetSpec 3=status:PodDisruptionBudgetStatus
        PodDisruptionBudgetSpec 1=minAvailable:I 2=selector:LabelSelector 3=maxUnavailable:I
          4=unhealthyPodEvictionPolicy:s
        PodDisruptionBudgetStatus 1?=observedGeneration:i 2=disruptedPods:mT 3=disruptionsAllowed:i 4=currentHealthy:i
          5=desiredHealthy:i 6=expectedPods:i 7=conditions:rCondition
        PodFailurePolicy 1=rules:rPodFailurePolicyRule
        PodFailurePolicyOnExitCodesRequirement 1=containerName:s 2=operator:s 3=values:ri
        PodFailurePolicyOnPodConditionsPattern 1=type:s 2=status:s
        PodFailurePolicyRule 1=action:s 2=onExitCodes:PodFailurePolicyOnExitCodesRequirement
          3=onPodConditions:rPodFailurePolicyOnPodConditionsPattern
        PolicyRule 1=verbs:rs 2=apiGroups:rs 3=resources:rs 4=resourceNames:rs 5=nonResourceURLs:rs
        PriorityClass 1=metadata:ObjectMeta 2=value:i 3?=globalDefault:b 4?=description:s 5=preemptionPolicy:s
        ReplicaSet 1=metadata:ObjectMeta 2=spec:ReplicaSetSpec 3=status:ReplicaSetStatus
        ReplicaSetCondition 1=type:s 2=status:s 3=lastTransitionTime:T 4?=reason:s 5?=message:s
        ReplicaSetSpec 1=replicas:i 4?=minReadySeconds:i 2=selector:LabelSelector 3=template:PodTemplateSpec
        ReplicaSetStatus 1=replicas:i 2?=fullyLabeledReplicas:i 4?=readyReplicas:i 5?=availableReplicas:i
          7=terminatingReplicas:i 3?=observedGeneration:i 6=conditions:rReplicaSetCondition
        ResourceAttributes 1?=namespace:s 2?=verb:s 3?=group:s 4?=version:s 5?=resource:s 6?=subresource:s 7?=name:s
          8=fieldSelector:FieldSelectorAttributes 9=labelSelector:LabelSelectorAttributes
        ResourceQuota 1=metadata:ObjectMeta 2=spec:ResourceQuotaSpec 3=status:ResourceQuotaStatus
        ResourceQuotaSpec 1=hard:mQ 2=scopes:rs 3=scopeSelector:ScopeSelector
        ResourceQuotaStatus 1=hard:mQ 2=used:mQ
        ResourceRule 1=verbs:rs 2=apiGroups:rs 3=resources:rs 4=resourceNames:rs
        Role 1=metadata:ObjectMeta 2=rules:rPolicyRule
        RoleBinding 1=metadata:ObjectMeta 2=subjects:rSubject 3=roleRef:RoleRef
        RoleRef 1=apiGroup:s 2=kind:s 3=name:s
        RollingUpdateDaemonSet 1=maxUnavailable:I 2=maxSurge:I
        RollingUpdateDeployment 1=maxUnavailable:I 2=maxSurge:I
        RollingUpdateStatefulSetStrategy 1=partition:i 2=maxUnavailable:I
        Scale 1=metadata:ObjectMeta 2=spec:ScaleSpec 3=status:ScaleStatus
        ScaleSpec 1?=replicas:i
        ScaleStatus 1=replicas:i 2?=selector:s
        ScopeSelector 1=matchExpressions:rScopedResourceSelectorRequirement
        ScopedResourceSelectorRequirement 1=scopeName:s 2=operator:s 3=values:rs
        SelfSubjectAccessReview 1=metadata:ObjectMeta 2=spec:SelfSubjectAccessReviewSpec
          3=status:SubjectAccessReviewStatus
        SelfSubjectAccessReviewSpec 1=resourceAttributes:ResourceAttributes
          2=nonResourceAttributes:NonResourceAttributes
        SelfSubjectReview 1=metadata:ObjectMeta 2=status:SelfSubjectReviewStatus
        SelfSubjectReviewStatus 1=userInfo:UserInfo
        SelfSubjectRulesReview 1=metadata:ObjectMeta 2=spec:SelfSubjectRulesReviewSpec
          3=status:SubjectRulesReviewStatus
        SelfSubjectRulesReviewSpec 1?=namespace:s
        ServiceBackendPort 1?=name:s 2?=number:i
        StatefulSet 1=metadata:ObjectMeta 2=spec:StatefulSetSpec 3=status:StatefulSetStatus
        StatefulSetCondition 1=type:s 2=status:s 3=lastTransitionTime:T 4?=reason:s 5?=message:s
        StatefulSetOrdinals 1=start:i
        StatefulSetPersistentVolumeClaimRetentionPolicy 1?=whenDeleted:s 2?=whenScaled:s
        StatefulSetSpec 1=replicas:i 2=selector:LabelSelector 3=template:PodTemplateSpec
          4=volumeClaimTemplates:rPersistentVolumeClaim 5=serviceName:s 6?=podManagementPolicy:s
          7=updateStrategy:StatefulSetUpdateStrategy 8=revisionHistoryLimit:i 9?=minReadySeconds:i
          10=persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy
          11=ordinals:StatefulSetOrdinals
        StatefulSetStatus 1?=observedGeneration:i 2=replicas:i 3?=readyReplicas:i 4?=currentReplicas:i
          5?=updatedReplicas:i 6?=currentRevision:s 7?=updateRevision:s 9=collisionCount:i
          10=conditions:rStatefulSetCondition 11=availableReplicas:i
        StatefulSetUpdateStrategy 1?=type:s 2=rollingUpdate:RollingUpdateStatefulSetStrategy
        Subject 1=kind:s 2?=apiGroup:s 3=name:s 4?=namespace:s
        SubjectAccessReview 1=metadata:ObjectMeta 2=spec:SubjectAccessReviewSpec 3=status:SubjectAccessReviewStatus
        SubjectAccessReviewSpec 1=resourceAttributes:ResourceAttributes 2=nonResourceAttributes:NonResourceAttributes
          3?=user:s 4=groups:rs 6?=uid:s
        SubjectAccessReviewStatus 1=allowed:b 4?=denied:b 2?=reason:s 3?=evaluationError:s
        SubjectRulesReviewStatus 1=resourceRules:rResourceRule 2=nonResourceRules:rNonResourceRule 3=incomplete:b
          4?=evaluationError:s
        SuccessPolicy 1=rules:rSuccessPolicyRule
        SuccessPolicyRule 1=succeededIndexes:s 2=succeededCount:i
        TokenRequest 1=metadata:ObjectMeta 2=spec:TokenRequestSpec 3=status:TokenRequestStatus
        TokenRequestSpec 1=audiences:rs 4=expirationSeconds:i 3=boundObjectRef:BoundObjectReference
        TokenRequestStatus 1=token:s 2=expirationTimestamp:T
        TokenReview 1=metadata:ObjectMeta 2=spec:TokenReviewSpec 3=status:TokenReviewStatus
        TokenReviewSpec 1?=token:s 2=audiences:rs
        TokenReviewStatus 1?=authenticated:b 2=user:UserInfo 4=audiences:rs 3?=error:s
        UncountedTerminatedPods 1=succeeded:rs 2=failed:rs
        UserInfo 1?=username:s 2?=uid:s 3=groups:rs
        PersistentVolumeClaim 1=metadata:ObjectMeta 2=spec:PersistentVolumeClaimSpec
        PodTemplateSpec 1=metadata:ObjectMeta 2=spec:PodSpec
        """
}
