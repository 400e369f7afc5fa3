# The API, or the workers, of a host: one image, one command each (see compose.yaml).
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install -q --no-deps --require-hashes -r requirements.lock

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 \
    CRISIS_ROUTER_HOME=/var/lib/crisis-router CRISIS_ROUTER_HOST=0.0.0.0
RUN useradd --system --create-home --home-dir /var/lib/crisis-router crisis-router
WORKDIR /app
COPY --from=build /venv /venv
COPY service service
COPY workers workers
COPY config config
USER crisis-router
VOLUME /var/lib/crisis-router
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=2s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=1)"]
CMD ["python", "-m", "service.cli", "up"]
