# One image for worker and job: the locked requirements, the package, a user that is nobody.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
RUN python -m venv /opt/genoferry
COPY requirements.txt /src/
RUN /opt/genoferry/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY src /src/src
COPY infra/template.yaml /src/infra/
RUN /opt/genoferry/bin/pip install --no-cache-dir --no-deps /src

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="genoferry" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/genoferry /opt/genoferry
RUN useradd --uid 10001 --create-home genoferry
USER 10001
ENV PATH=/opt/genoferry/bin:$PATH PYTHONUNBUFFERED=1 GENOFERRY_LOG_FORMAT=json
STOPSIGNAL SIGTERM
ENTRYPOINT ["genoferry"]
CMD ["worker"]
