# One image for worker and job: the locked requirements, the package, plink2, and a user that is nobody.
#
# A site without the internet names its mirrors: PYTHON_IMAGE, DEBIAN_MIRROR, PIP_INDEX_URL, MAVEN_MIRROR. NEXTFLOW=yes
# adds Java and Nextflow, for jobs of the Nextflow engine. docs/howto/deploy-on-kubernetes.md has the commands.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
# Debian's packages come from here, as http://HOST/debian; its security updates from HOST/debian-security.
ARG DEBIAN_MIRROR=
RUN test -z "$DEBIAN_MIRROR" || find /etc/apt -name '*.sources' -o -name 'sources.list' | xargs -r sed -i \
      -e "s#https\?://deb.debian.org/debian#${DEBIAN_MIRROR%/}#" \
      -e "s#https\?://security.debian.org/debian-security#${DEBIAN_MIRROR%/}-security#"

FROM base AS build
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN python -m venv /opt/genoferry
COPY requirements.txt /src/
RUN /opt/genoferry/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.txt
# What builds the package is locked, too, and stays behind.
COPY infra/requirements-build.txt /src/infra/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r /src/infra/requirements-build.txt
COPY pyproject.toml README.md LICENSE /src/
COPY src /src/src
COPY infra/template.yaml /src/infra/
# Left out: the installer, the tests of others, and the asyncio twin of Kubernetes' client, which nothing imports.
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels /src \
 && /opt/genoferry/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
 && /opt/genoferry/bin/pip uninstall --yes setuptools pip \
 && find /opt/genoferry -type d -name tests -path '*/site-packages/*' -prune -exec rm -r {} + \
 && rm -rf /opt/genoferry/lib/python3*/site-packages/kubernetes/aio

FROM base AS nextflow
ARG NEXTFLOW=no
ARG MAVEN_MIRROR=
COPY tests/e2e/setup_nextflow.sh tests/e2e/nextflow-24.10.0.sha256 /src/
RUN mkdir -p /opt/nextflow "$HOME/.m2" \
 && if [ -n "$MAVEN_MIRROR" ]; then \
      printf '<settings><mirrors><mirror><id>site</id><mirrorOf>*</mirrorOf><url>%s</url></mirror></mirrors></settings>' \
        "$MAVEN_MIRROR" >"$HOME/.m2/settings.xml"; \
    fi \
 && if [ "$NEXTFLOW" = yes ]; then \
      GENOFERRY_TOOLS=/opt/tools sh /src/setup_nextflow.sh && rmdir /opt/nextflow && mv /opt/tools/nextflow-* /opt/nextflow; \
    fi

FROM base
ARG NEXTFLOW=no
# Nextflow measures its processes with ps.
RUN if [ "$NEXTFLOW" = yes ]; then java="openjdk-17-jre-headless procps"; fi \
 && apt-get update && apt-get install --yes --no-install-recommends plink2 ${java:-} \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin genoferry
COPY --from=nextflow /opt/nextflow /opt/nextflow
COPY --from=build /opt/genoferry /opt/genoferry
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="genoferry" \
      org.opencontainers.image.description="Ferries encrypted genomes to compute and brings polygenic scores back" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
# A number, so that a cluster can tell that it isn't root.
USER 10001:10001
ENV PATH=/opt/genoferry/bin:/opt/nextflow:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    GENOFERRY_LOG_FORMAT=json \
    GENOFERRY_HEALTH_PORT=8080
WORKDIR /tmp
STOPSIGNAL SIGTERM
# For Docker and Compose; Kubernetes has probes of its own. A job answers nothing, and nobody asks it.
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import os, urllib.request as url; \
  url.urlopen(f\"http://127.0.0.1:{os.environ['GENOFERRY_HEALTH_PORT']}/healthz\", timeout=5)"]
ENTRYPOINT ["genoferry"]
CMD ["worker"]
