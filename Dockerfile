FROM python:3.12-slim
WORKDIR /app
ENV MARKETPLACE_ENV=production PYTHONUNBUFFERED=1 HOST=0.0.0.0
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && useradd --create-home marketplace && mkdir -p instance && chown marketplace instance
USER marketplace
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/readyz')"
CMD ["sh", "-c", "flask db upgrade && exec gunicorn -k gthread -w 2 --threads ${THREADS:-8} -b 0.0.0.0:5000 --graceful-timeout 5 wsgi:app"]
