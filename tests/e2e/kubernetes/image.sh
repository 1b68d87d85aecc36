#!/bin/sh
# Builds this checkout's image by its Dockerfile and saves it, for `make test-k8s`, as localhost/genoferry:test in a cache
# folder outside the checkout. By the Docker engine that answers, else by one that it starts and ends. The base is
# setup.sh's small Debian, so that no registry is asked; layers that are as they were are not built again. Needs root.
# Named by GENOFERRY_IMAGE_ARCHIVE, another archive is used as it is.
set -eu
[ -z "${GENOFERRY_IMAGE_ARCHIVE:-}" ] || exit 0

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tools=${GENOFERRY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/genoferry}
folder=$tools/image
image=localhost/genoferry:test
rootfs=$tools/debian-python/rootfs
base=localhost/debian-python:$(sha256sum "$rootfs" | cut -c 1-12)

say() { echo "$*" >&2; }

engine() {
    docker version >/dev/null 2>&1 && return
    state=$(mktemp -d)
    export DOCKER_HOST="unix://$state/socket"
    # In mount namespaces of its own, so that it leaves no mount behind.
    unshare --mount dockerd --host="$DOCKER_HOST" --data-root="$folder/docker" --exec-root="$state/run" --pidfile="$state/pid" \
        --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >"$state/log" 2>&1 &
    until docker version >/dev/null 2>&1; do
        kill -0 $! 2>/dev/null || {
            cat "$state/log" >&2
            exit 1
        }
        sleep 0.2
    done
}

state=
end() {
    [ -z "$state" ] || {
        kill "$(cat "$state/pid")" 2>/dev/null && wait || true
        rm -rf "$state"
    }
}
trap end EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$folder"
engine
docker image inspect "$base" >/dev/null 2>&1 || docker import \
    --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' --change 'CMD ["python3"]' "$rootfs" "$base" >/dev/null

# The machine's own network and index: the engine may have no bridge, and the index may be a site's mirror.
index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
host=${PIP_TRUSTED_HOST:-$(python3 -m pip config get global.trusted-host 2>/dev/null || true)}
build() {
    docker build --quiet --network=host --build-arg "PYTHON_IMAGE=$base" ${index:+--build-arg "PIP_INDEX_URL=$index"} \
        ${host:+--build-arg "PIP_TRUSTED_HOST=$host"} "$@" "$here/../../.." 2>"$folder/log" || {
        cat "$folder/log" >&2
        exit 1
    }
}

say "Building the image ..."
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
build --target build --tag "$image-build" >/dev/null # the name keeps its layers
build --tag "$image" >"$folder/new"
if [ ! -s "$folder/genoferry.tar" ] || ! cmp -s "$folder/new" "$folder/id"; then
    docker save --output "$folder/part.tar" "$image"
    mv "$folder/part.tar" "$folder/genoferry.tar"
    mv "$folder/new" "$folder/id"
fi
[ -z "$state" ] || docker image prune --force >/dev/null
