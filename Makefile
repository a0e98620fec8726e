# One verb per thing a developer does. CI calls only these.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.PHONY: help setup up demo check advisories test histories keep bench chaos fuzz docs lock clean

help: ## 列出所有命令 lists these
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup: $(STAMP) ## 准备环境 makes .venv with every dependency, by hashes

$(STAMP): requirements/dev.lock pyproject.toml
	@for python in python3.11 python3 python3.12 python3.13; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done || { echo "需要 Python 3.11 或更新的版本。 Python 3.11 or newer is needed." >&2; exit 2; }; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

up: setup ## 启动全部服务 runs everything here; options: make up ARGS="--port 8081 --time-travel"
	@exec $(BIN)/rectify up $(ARGS)

demo: setup ## 演示案卷的一生 shows whole lives of cases, in under a minute
	@exec $(BIN)/rectify demo $(ARGS)

check: setup ## 检查代码与文档 lint, format, types, generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/python -m settings | diff -u docs/settings.md - \
	  || { echo "docs/settings.md 已过时,请运行 make docs。 it is out of date: make docs" >&2; exit 1; }
	@$(BIN)/python -m domain.printing | diff -u docs/states.md - \
	  || { echo "docs/states.md 已过时,请运行 make docs。 it is out of date: make docs" >&2; exit 1; }
	@$(BIN)/python requirements/advisories.py check

advisories: setup ## 更新漏洞清单 asks the package index what is known against the locked versions
	$(BIN)/python requirements/advisories.py renew

test: setup ## 运行测试 runs the tests; make test ARGS="tests/domain -x"
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

histories: setup ## 保存新的案卷历史 adds histories to replay; never rewrites one
	$(BIN)/python -m tests.support.histories $(ARGS)

keep: setup ## 保留一个版本的工作进程 keeps a tagged release's worker, for the tests of the next: make keep ARGS=v0.1.0
	$(BIN)/python -m tests.support.kept_build $(ARGS)

bench: setup ## 测量性能 measures, into bench/results; make bench ARGS="floor --quick"
	$(BIN)/python -m bench $(ARGS)

chaos: setup ## 故障演练 breaks everything while clients work, then judges; make chaos ARGS="--seconds 3600 --seed 7"
	$(BIN)/python -m chaos $(ARGS)

fuzz: setup ## 模糊测试 tries parsers and API with what nobody would send; make fuzz ARGS="--minutes 60"
	$(BIN)/python -m fuzz $(ARGS)

docs: setup ## 重写生成的文档 writes the generated documents anew
	$(BIN)/python -m settings > docs/settings.md
	$(BIN)/python -m domain.printing > docs/states.md

# uv looks where its own configuration says; no host goes into a lock file.
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --quiet

lock: ## 更新锁定的依赖 renews requirements/*.lock; needs uv
	@command -v uv >/dev/null || { echo "需要 uv。 uv is needed." >&2; exit 2; }
	$(LOCK) --output-file requirements/runtime.lock
	$(LOCK) --extra dev --output-file requirements/dev.lock

clean: ## 删除环境与缓存,保留 data/ removes the environment and caches; data/ stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
