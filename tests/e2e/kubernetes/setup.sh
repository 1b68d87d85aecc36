#!/bin/sh
# Makes a one-node Kubernetes, helm, kwok and the files of a small Debian with Python ready for `make test-k8s`, in cache
# folders outside the checkout. Needs root (as pods do), Go 1.25 or newer and, once, some 8 minutes and 6 GB of disk,
# most of it Go's own cache. cluster.py names the same versions.
set -eu

# Newer ones than 1.34 ask for a newer containerd than Debian 12 has.
kubernetes=1.34.4
helm=3.19.5
kwok=0.7.0
packages="containerd runc busybox-static mmdebstrap docker.io"
programs="containerd ctr runc busybox mmdebstrap docker dockerd unshare nsenter setpriv"

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tools=${GENOFERRY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/genoferry}

say() { echo "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

lacking() {
    for program in $programs; do
        command -v "$program" >/dev/null || printf '%s ' "$program"
    done
}

install_packages() {
    command -v apt-get >/dev/null || fail "Programs are missing: install $(lacking)and run this again."
    apt-get update >&2
    # shellcheck disable=SC2086 # the packages are words
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages >&2
    [ -z "$(lacking)" ] || fail "Programs are still missing: install $(lacking)and run this again."
}

need_go() {
    minor=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 25 ] || fail "Go 1.25 or newer is needed once: install it, then run this again."
}

# The module k8s.io/kubernetes names its sister modules as v0.0.0: each has to be told its real version.
write_module() {
    sisters="api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap
    code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib
    dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy
    kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver"
    {
        printf 'module genoferry/kubernetes\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v%s\n' "$kubernetes"
        for sister in $sisters; do
            printf 'replace k8s.io/%s => k8s.io/%s v0.%s\n' "$sister" "$sister" "${kubernetes#1.}"
        done
    } >"$1/go.mod"
}

build_kubernetes() {
    write_module "$1"
    cp "$here/server.go" "$1/main.go"
    minor=${kubernetes#1.}
    version="-X k8s.io/component-base/version"
    (cd "$1" && CGO_ENABLED=0 GOFLAGS="-buildvcs=false -mod=mod" go build -trimpath -o kubernetes -ldflags "-s -w \
        $version.gitVersion=v$kubernetes $version.gitMajor=1 $version.gitMinor=${minor%%.*} \
        $version.gitTreeState=clean" .)
}

install_module() { # folder, package, version
    CGO_ENABLED=0 GOBIN=$1 GOFLAGS=-buildvcs=false go install -trimpath -ldflags "-s -w" "$2@v$3"
}

build_helm() { install_module "$1" helm.sh/helm/v3/cmd/helm "$helm"; }

build_kwok() { install_module "$1" sigs.k8s.io/kwok/cmd/kwok "$kwok"; }

# Fit to be the base of the project's own image too, so it has the host's certificates, venv and pip.
build_rootfs() {
    . /etc/os-release
    for sources in "/etc/apt/sources.list.d/$ID.sources" /etc/apt/sources.list; do
        [ ! -s "$sources" ] || break
    done
    # shellcheck disable=SC2016 # mmdebstrap expands the hooks
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3,python3-venv,python3-pip \
        --customize-hook='ln -s python3 "$1/usr/bin/python"' \
        --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/usr/share/doc "$1"/usr/share/man' \
        "$VERSION_CODENAME" "$1/rootfs.tar" "$sources" && mv "$1/rootfs.tar" "$1/rootfs"
}

ready() { # folder, file: has build_<file> make it, whole or not at all
    home=$tools/$1
    [ ! -s "$home/$2" ] || return 0
    [ "$2" = rootfs ] || need_go
    say "Making $1 (once) ..."
    mkdir -p "$tools"
    fresh=$(mktemp -d "$tools/.$1.XXXXXX")
    if ! "build_$2" "$fresh" >"$fresh/log" 2>&1 || [ ! -s "$fresh/$2" ]; then
        cat "$fresh/log" >&2
        fail "$1 could not be made: check the network, or name a mirror (GOPROXY, or apt's sources)."
    fi
    mkdir -p "$home"
    mv "$fresh/$2" "$home/$2"
    rm -rf "$fresh"
}

fresh=
trap '[ -z "$fresh" ] || rm -rf "$fresh"' EXIT
trap 'exit 1' HUP INT TERM
[ "$(id -u)" -eq 0 ] || fail "Pods need root: run this, and the tests with Kubernetes, as root."
[ -z "$(lacking)" ] || install_packages
ready "kubernetes-$kubernetes" kubernetes
ready "helm-$helm" helm
ready "kwok-$kwok" kwok
ready debian-python rootfs
