#!/bin/sh
# The first process of the node's own mount and process namespaces: when it ends, every pod, server and mount there ends.
# The folder named first gets the file `namespaces` when all is in place.
set -eu
folder=$1
mount --make-rprivate /

# The kubelet wants to set these for the whole machine: here it finds files that already hold what it wants.
for wanted in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=$folder/sys/${wanted%=*}
    mkdir -p "${file%/*}"
    echo "${wanted#*=}" >"$file"
    mount --bind "$file" "/proc/sys/${wanted%=*}"
done
for place in /var/lib/kubelet /var/log/containers /var/log/pods; do
    mkdir -p "$place"
    mount -t tmpfs none "$place"
done

touch "$folder/namespaces"
while :; do
    sleep 3600 & # what pods leave behind becomes this process's child, which `wait` clears away
    wait
done
