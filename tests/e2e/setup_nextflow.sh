#!/bin/sh
# Makes the real Nextflow ready for `make test-e2e`, from Maven Central, in a cache folder outside the checkout.
# The last line on the standard output is the launcher's path. Needs Java 17 or newer and, once, Maven; where they are
# missing, both are installed, as root on Debian or Ubuntu. Its jars must be those whose sha256 sums are beside this file.
set -eu

version=24.10.0
sums=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/nextflow-$version.sha256
packages="java.base/java.lang java.base/java.io java.base/java.nio java.base/java.nio.file.spi java.base/java.net
java.base/java.util java.base/java.util.concurrent.locks java.base/java.util.concurrent.atomic java.base/java.util.regex
java.base/sun.nio.ch java.base/sun.nio.fs java.base/sun.net.www.protocol.http java.base/sun.net.www.protocol.https
java.base/sun.net.www.protocol.ftp java.base/sun.net.www.protocol.file java.base/jdk.internal.misc
java.base/jdk.internal.vm"

tools=${GENOFERRY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/genoferry}
home=$tools/nextflow-$version

say() { echo "$*" >&2; }

java_is_new_enough() {
    java=${JAVA_CMD:-${JAVA_HOME:+$JAVA_HOME/bin/}java}
    major=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${major:-0}" -ge 17 ]
}

is_complete() {
    [ -x "$1/nextflow" ] && [ "$(find "$1/lib" -mindepth 1 | wc -l)" -eq "$(wc -l <"$sums")" ] &&
        (cd "$1/lib" && sha256sum --check --quiet --strict "$sums") >&2
}

install_java_and_maven() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "Java 17 or newer, or Maven, is missing. Install both, then run this again."
        exit 1
    fi
    say "Java 17 or newer, or Maven, is missing: apt-get installs them now."
    apt-get update >&2
    for release in 17 21 25; do
        jre=openjdk-$release-jre-headless
        if [ -n "$(apt-cache search --names-only "^$jre\$")" ]; then
            break
        fi
    done
    apt-get install --yes --no-install-recommends "$jre" maven >&2
}

write_pom() {
    cat >"$1" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>genoferry</groupId><artifactId>nextflow</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.nextflow</groupId><artifactId>nextflow</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
}

write_launcher() {
    {
        cat <<'LAUNCHER'
#!/bin/sh
# Starts Nextflow from the jars beside this file. NXF_OPTS holds options for Java.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
java=${JAVA_CMD:-${JAVA_HOME:+$JAVA_HOME/bin/}java}
LAUNCHER
        # shellcheck disable=SC2016,SC2086 # the launcher expands these; the packages are words
        {
            printf 'set --'
            printf ' --add-opens=%s=ALL-UNNAMED' $packages
            printf ' -cp "$here/lib/*" nextflow.cli.Launcher "$@"\n'
            printf 'exec "$java" ${NXF_OPTS:-} "$@"\n'
        }
    } >"$1"
    chmod 755 "$1"
}

build() {
    write_pom "$1/pom.xml"
    if ! (cd "$1" && mvn -B -C dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib) >"$1/log" 2>&1; then
        cat "$1/log" >&2
        say "Maven could not fetch Nextflow $version: check the network, or name a mirror in Maven's settings.xml."
        exit 1
    fi
    write_launcher "$1/nextflow"
    if ! is_complete "$1"; then
        say "Maven gave other files than those of Nextflow $version that $sums lists."
        exit 1
    fi
    if ! NXF_OFFLINE=true NXF_HOME="$1/home" "$1/nextflow" -version >"$1/log" 2>&1 || ! grep -q "$version" "$1/log"; then
        cat "$1/log" >&2
        say "Nextflow $version does not start with this Java."
        exit 1
    fi
    rm -rf "$1/home" "$1/log"
}

ready=no
if is_complete "$home" 2>/dev/null; then
    ready=yes
fi
if ! java_is_new_enough || { [ "$ready" = no ] && ! command -v mvn >/dev/null; }; then
    install_java_and_maven
fi
if ! java_is_new_enough; then
    say "Java 17 or newer is needed: name it with JAVA_HOME, then run this again."
    exit 1
fi
if [ "$ready" = no ]; then
    mkdir -p "$tools"
    fresh=$(mktemp -d "$tools/.nextflow-$version.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    trap 'exit 1' HUP INT TERM
    build "$fresh"
    chmod 755 "$fresh"
    rm -rf "$home"
    mv "$fresh" "$home"
fi
echo "$home/nextflow"
