{{- define "genoferry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "genoferry.fullname" -}}
{{- $name := include "genoferry.name" . -}}
{{- $long := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $long .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "genoferry.selector" -}}
app.kubernetes.io/name: {{ include "genoferry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "genoferry.labels" -}}
{{ include "genoferry.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "genoferry.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "genoferry.workerAccount" -}}
{{- with .Values.worker.serviceAccount -}}
{{- default (ternary (include "genoferry.fullname" $) "default" .create) .name -}}
{{- end -}}
{{- end -}}

{{- define "genoferry.jobAccount" -}}
{{- with .Values.jobs.serviceAccount -}}
{{- default (ternary (printf "%s-job" (include "genoferry.fullname" $)) "default" .create) .name -}}
{{- end -}}
{{- end -}}

{{- define "genoferry.jobNamespace" -}}
{{- default .Release.Namespace .Values.jobs.namespace -}}
{{- end -}}

{{- define "genoferry.claim" -}}
{{- with .Values.workspaces -}}
{{- if .existingClaim -}}{{ .existingClaim }}{{- else if .create -}}{{ include "genoferry.fullname" $ }}-workspaces{{- end -}}
{{- end -}}
{{- end -}}

{{/* The claim of the scores' mirror, where workers see it, too: a claim is of one namespace, and this one of the Jobs'. */}}
{{- define "genoferry.scores" -}}
{{- if eq (include "genoferry.jobNamespace" .) .Release.Namespace -}}
{{- default "" .Values.settings.GENOFERRY_KUBERNETES_SCORES_CLAIM -}}
{{- end -}}
{{- end -}}

{{/* A value as a setting is written in the environment. Helm reads every number as a float. */}}
{{- define "genoferry.text" -}}
{{- if kindIs "slice" . -}}{{ join "," . }}
{{- else if kindIs "map" . -}}{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}{{ int64 . }}
{{- else -}}{{ toString . }}
{{- end -}}
{{- end -}}

{{/* Whether a setting (the second of the list) is this (the third). */}}
{{- define "genoferry.is" -}}
{{- if eq (toString (get (index . 0).Values.settings (index . 1))) (index . 2) -}}yes{{- end -}}
{{- end -}}

{{- define "genoferry.byNextflowPods" -}}
{{- and (include "genoferry.is" (list . "GENOFERRY_ENGINE" "nextflow")) (include "genoferry.is" (list . "GENOFERRY_NEXTFLOW_EXECUTOR" "k8s")) -}}
{{- end -}}

{{/* Where AWS is, which jobs are told, too. The SDK reads the one name of the region, its tools the other. */}}
{{- define "genoferry.aws" -}}
{{- $found := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- if and $value (or (hasPrefix "AWS_ENDPOINT_URL" $name) (has $name (list "AWS_REGION" "AWS_DEFAULT_REGION" "AWS_CA_BUNDLE"))) -}}
{{- $_ := set $found $name (include "genoferry.text" $value) -}}
{{- end -}}
{{- end -}}
{{- with default $found.AWS_DEFAULT_REGION $found.AWS_REGION -}}
{{- $found = merge $found (dict "AWS_REGION" . "AWS_DEFAULT_REGION" .) -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* All settings: what the values say, and over it what names this release's own objects, which the schema lets no value
set. What jobs are told is the site's matter, and what it doesn't say of AWS is added. */}}
{{- define "genoferry.settings" -}}
{{- $_ := required "settings.GENOFERRY_TOPIC_ARN is missing: it is the topic of the events" .Values.settings.GENOFERRY_TOPIC_ARN -}}
{{- if .Values.settings.GENOFERRY_KUBERNETES_SCORES_CLAIM -}}
{{- $_ := required "settings.GENOFERRY_SCORE_MIRROR is missing: it is where the claim of scores is mounted" .Values.settings.GENOFERRY_SCORE_MIRROR -}}
{{- end -}}
{{- $own := dict
  "GENOFERRY_HEALTH_HOST" .Values.health.bind
  "GENOFERRY_HEALTH_PORT" .Values.health.port
  "GENOFERRY_KUBERNETES_NAMESPACE" (include "genoferry.jobNamespace" .)
  "GENOFERRY_KUBERNETES_SERVICE_ACCOUNT" (include "genoferry.jobAccount" .)
  "GENOFERRY_KUBERNETES_IMAGE" (include "genoferry.image" .)
  "GENOFERRY_KUBERNETES_IMAGE_PULL_POLICY" .Values.image.pullPolicy
-}}
{{- $aws := include "genoferry.aws" . | fromYaml -}}
{{- $own = merge $own $aws -}}
{{- with merge (dict) (deepCopy (default dict .Values.settings.GENOFERRY_KUBERNETES_ENV)) $aws -}}
{{- $_ := set $own "GENOFERRY_KUBERNETES_ENV" . -}}
{{- end -}}
{{- with .Values.image.pullSecrets -}}
{{- $_ := set $own "GENOFERRY_KUBERNETES_IMAGE_PULL_SECRETS" . -}}
{{- end -}}
{{- with include "genoferry.claim" . -}}
{{- if $.Values.settings.GENOFERRY_WORKSPACES -}}
{{- fail "settings.GENOFERRY_WORKSPACES is set: where the volume of workspaces is mounted is workspaces.mountPath" -}}
{{- end -}}
{{- $_ := set $own "GENOFERRY_NEXTFLOW_STORAGE_CLAIM" . -}}
{{- $_ := set $own "GENOFERRY_WORKSPACES" $.Values.workspaces.mountPath -}}
{{- end -}}
{{- if include "genoferry.byNextflowPods" . -}}
{{- $_ := set $own "GENOFERRY_NEXTFLOW_NAMESPACE" (include "genoferry.jobNamespace" .) -}}
{{- $_ := set $own "GENOFERRY_NEXTFLOW_SERVICE_ACCOUNT" (include "genoferry.jobAccount" .) -}}
{{- end -}}
{{- toYaml (merge (dict) $own (deepCopy .Values.settings)) -}}
{{- end -}}

{{/* The drain of the worker takes the grace, then up to a lease to stop what is still staging; some room for the end. */}}
{{- define "genoferry.terminationSeconds" -}}
{{- $grace := required "settings.GENOFERRY_WORKER_GRACE_SECONDS is missing" .Values.settings.GENOFERRY_WORKER_GRACE_SECONDS -}}
{{- $lease := required "settings.GENOFERRY_WORKER_LEASE_SECONDS is missing" .Values.settings.GENOFERRY_WORKER_LEASE_SECONDS -}}
{{- add 15 (ceil $grace) (ceil $lease) -}}
{{- end -}}

{{- define "genoferry.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "genoferry.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "genoferry.environment" -}}
- configMapRef: {name: {{ include "genoferry.fullname" . }}}
{{- if .Values.secretSettings }}
- secretRef: {name: {{ include "genoferry.fullname" . }}}
{{- end }}
{{- with .Values.existingSecret }}
- secretRef: {name: {{ . }}}
{{- end }}
{{- end -}}

{{/* The image and environment of a worker, for its pod and the test's. */}}
{{- define "genoferry.container" -}}
image: {{ include "genoferry.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  {{- include "genoferry.environment" . | nindent 2 }}
securityContext:
  {{- include "genoferry.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml .Values.worker.resources | nindent 2 }}
volumeMounts:
  - {name: scratch, mountPath: /tmp}
  {{- if include "genoferry.scores" . }}
  - {name: scores, mountPath: {{ .Values.settings.GENOFERRY_SCORE_MIRROR }}, readOnly: true}
  {{- end }}
  {{- with .Values.worker.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* What the pods of worker and test have in common beside their container. */}}
{{- define "genoferry.pod" -}}
serviceAccountName: {{ include "genoferry.workerAccount" . }}
{{- if .Values.worker.hostNetwork }}
hostNetwork: true
{{- end }}
securityContext:
  {{- include "genoferry.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.worker.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.worker.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.worker.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
volumes:
  - name: scratch
    emptyDir: {sizeLimit: {{ .Values.worker.scratch }}}
  {{- with include "genoferry.scores" . }}
  - name: scores
    persistentVolumeClaim: {claimName: {{ . | quote }}, readOnly: true}
  {{- end }}
  {{- with .Values.worker.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Takes the root and the path. */}}
{{- define "genoferry.probe" -}}
{{- $health := (index . 0).Values.health -}}
httpGet:
  path: {{ index . 1 }}
  port: health
  {{- with $health.probeHost }}
  host: {{ . }}
  {{- end }}
timeoutSeconds: 3
{{- end -}}
