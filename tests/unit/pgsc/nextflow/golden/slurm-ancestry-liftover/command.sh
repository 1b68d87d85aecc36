#!/bin/sh
set -eu
mkdir -p /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/launch /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/attempt-1/tmp
cd /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/launch
export NXF_ANSI_LOG=false
export NXF_DISABLE_CHECK_LATEST=true
export NXF_OFFLINE=true
export NXF_TEMP=/workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/attempt-1/tmp
export TMPDIR=/workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/attempt-1/tmp
exec nextflow -log /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/nextflow.log run PGScatalog/pgsc_calc -r v2.2.0 -c /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/rendered/nextflow.config -params-file /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/rendered/params.json -profile apptainer,site -work-dir /workspaces/gw-development-5a70fd19-4215-5128-a2a7-91796b890924-1/work -ansi-log false -offline -resume
