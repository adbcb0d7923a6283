# The services in one image: built with what a build needs, run with what running needs, by a user who owns nothing.
FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY constraints.txt constraints-build.txt ./
RUN python -m venv /opt/thuiswacht \
    && /opt/thuiswacht/bin/pip install --require-hashes --requirement constraints.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --requirement constraints-build.txt
COPY pyproject.toml README.md LICENSE thuiswacht.py ./
COPY models ./models
COPY ingest ./ingest
COPY alerting ./alerting
COPY simulators ./simulators
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/thuiswacht/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/thuiswacht/bin/pip uninstall --yes pip

FROM python:3.13-slim
# The compiled rules are kept between starts: the only folder that the service may write to.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin thuiswacht \
    && install --directory --owner thuiswacht --group thuiswacht /var/cache/thuiswacht
COPY --from=build /opt/thuiswacht /opt/thuiswacht
ENV PATH=/opt/thuiswacht/bin:$PATH \
    NUMBA_CACHE_DIR=/var/cache/thuiswacht \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER thuiswacht
ENTRYPOINT ["thuiswacht"]
CMD ["--help"]
