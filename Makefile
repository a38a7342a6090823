PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8501
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-evals eval study mutants train-appraisal format clean

help: ## 列出所有命令
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

run: $(VENV)/.run ## 安装、准备索引、打开网页（http://127.0.0.1:8501，可用 PORT= 换端口）
	@$(BIN)/huasu serve --port $(PORT)

test: $(VENV)/.dev ## 安装并跑完全部测试
	@$(BIN)/python -m pytest

check: $(VENV)/.dev ## 代码检查：ruff 与 mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.dev ## 测量：一轮的本地耗时、第二次启动、检索的准确与速度
	@$(BIN)/python -m evals.bench
	@$(BIN)/python -m evals.retrieval
	@$(BIN)/python -m evals.model_bench

eval: $(VENV)/.dev ## 回归：三百多个用例，不用模型，一分钟内；有倒退就失败
	@$(BIN)/huasu eval run --report data/evals/report

study: $(VENV)/.dev ## 长跑：金标准对话；模拟学员对全部场景（约 5 分钟）
	@$(BIN)/python -m evals.gold
	@$(BIN)/python -m evals.customers

mutants: $(VENV)/.dev ## 往产品里植入错误，看用例能不能发现，打印一张表
	@$(BIN)/python -m evals.suite.mutants

bench-evals: $(VENV)/.dev ## 评测本身的速度：和一个光秃秃的异步循环比
	@$(BIN)/python -m evals.suite.bench

train-appraisal: $(VENV)/.train ## 重新训练识别模型（需要 PyTorch，约一小时，换数据或改标签后用）
	@$(BIN)/python -m evals.appraisal.train --without D,hard_dev --out data/appraisal-dev.pt
	@$(BIN)/python -m evals.appraisal.fit --weights data/appraisal-dev.pt
	@$(BIN)/python -m evals.appraisal.train --from data/appraisal-dev.pt --epochs 3 --out data/appraisal.pt
	@$(BIN)/python -m evals.appraisal.export --weights data/appraisal.pt
	@$(BIN)/python -m evals.appraisal.spare
	@$(BIN)/python -m evals.appraisal.measure --card docs/appraisal.md

format: $(VENV)/.dev ## 整理代码格式
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## 删除虚拟环境（不动 data/）
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新。可用 make run PYTHON=python3.12 指定。"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "建不了虚拟环境。在 Debian/Ubuntu 上请先安装 python3-venv。"; exit 1; }

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "正在安装（第一次要几分钟）……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "正在安装开发依赖（第一次要几分钟）……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.train: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "正在安装训练依赖（PyTorch 较大）……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,train]'
	@touch $@ $(VENV)/.dev
