#!/bin/sh
set -eu
mkdir -p /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/launch /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/attempt-1/tmp
cd /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/launch
export NXF_ANSI_LOG=false
export NXF_DISABLE_CHECK_LATEST=true
export NXF_IGNORE_RESUME_HISTORY=true
export NXF_OFFLINE=true
export NXF_TEMP=/workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/attempt-1/tmp
export NXF_UUID=eaaa05eb-0d74-5277-9993-4b9b3e6b9286
export TMPDIR=/workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/attempt-1/tmp
exec nextflow -log /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/nextflow.log run /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/pipeline -c /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/rendered/nextflow.config -params-file /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/rendered/params.json -plugins nf-schema@2.0.0,nf-prov@1.2.2,nf-amazon@2.9.1 -work-dir s3://development-work/5a70fd19-4215-5128-a2a7-91796b890924/1/workspace/work -ansi-log false -offline -name attempt-1 -resume eaaa05eb-0d74-5277-9993-4b9b3e6b9286
