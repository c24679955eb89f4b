# Liangche. `make demo` builds everything and starts it; `make help` lists the rest.

LISTEN ?= 127.0.0.1:8080
DATA   ?= data/demo
ARGS   ?=

APP     := miniprogram
WEB     := internal/console/web
NPM_CI  := npm ci --prefer-offline --no-audit --no-fund --loglevel=error
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# uni-app's command line reports to its vendor unless CI is set.
export CI := 1

# quiet runs a command and shows what it said only when it failed.
quiet = out=$$(mktemp) && { { $(1); } >$$out 2>&1 && rm $$out || { cat $$out; rm $$out; exit 1; }; }

APP_SRC := $(shell find $(APP)/src $(APP)/scripts -type f 2>/dev/null) $(wildcard $(APP)/*.json $(APP)/*.ts $(APP)/index.html)
WEB_SRC := $(shell find $(WEB)/src $(WEB)/public $(WEB)/scripts -type f 2>/dev/null) $(wildcard $(WEB)/*.json $(WEB)/*.ts $(WEB)/index.html)

.PHONY: help demo build front binary test lint vuln fmt openapi fuzz bench chaos scale clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

demo: build ## build everything, then run it with a WeChat sandbox (LISTEN=host:port DATA=folder)
	@exec ./bin/liangche demo --listen $(LISTEN) --data $(DATA) $(ARGS)

build: front binary ## build both front ends, then bin/liangche with them inside

front: $(APP)/node_modules/.package-lock.json internal/h5/dist/index.html $(WEB)/dist/index.html

binary: ## build bin/liangche with whatever front ends were built before; needs no Node
	@.ci/tools go
	@mkdir -p bin
	@go build -trimpath -ldflags="-s -w -X github.com/liangche/liangche/internal/app.Version=$(VERSION)" -o bin/liangche ./cmd/liangche

%/node_modules/.package-lock.json: %/package-lock.json
	@.ci/tools node
	@echo "installing the packages of $*"
	@cd $* && $(NPM_CI)
	@touch $@

# The browser build of the owner's and staff's app goes to where Go embeds it.
internal/h5/dist/index.html: $(APP)/node_modules/.package-lock.json $(APP_SRC)
	@echo "building the owner's and staff's pages"
	@cd $(APP) && $(call quiet,npm run --silent build:h5)
	@find internal/h5/dist -mindepth 1 ! -name .gitkeep -delete
	@cp -R $(APP)/dist/build/h5/. internal/h5/dist/
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB_SRC)
	@echo "building the console"
	@cd $(WEB) && $(call quiet,npm run --silent build)
	@touch $(WEB)/dist/.gitkeep $@

test: ## everything that must hold, on SQLite and on MariaDB, in browsers too
	@.ci/test

lint: ## gofmt, go vet, staticcheck
	@.ci/test lint

vuln: ## ask for known vulnerabilities of what is used; needs the network
	@.ci/tools go node
	@.ci/vuln

fmt: ## format the Go code
	@gofmt -w cmd internal migrations

openapi: $(APP)/node_modules/.package-lock.json $(WEB)/node_modules/.package-lock.json ## write what is generated: docs/openapi.yaml, docs/schema.sql, the front ends' types
	@go run ./cmd/liangche openapi > docs/openapi.yaml.new && mv docs/openapi.yaml.new docs/openapi.yaml
	@LIANGCHE_UPDATE=1 go test -count=1 -run SchemaIsCommitted ./internal/app >/dev/null
	@cd $(APP) && npm run --silent gen:api
	@cd $(WEB) && npm run --silent gen:api

bench: ## measure; prints each figure as a ratio of one run
	@go run ./internal/bench $(ARGS)

chaos: ## harm a running system in every way and look whether anything was lost or doubled (ARGS="-only kill -save")
	@.ci/tools go mariadb
	@go run ./internal/chaos $(ARGS)

scale: ## fill 100,000 members (ARGS="-members 1000000": what the goal speaks of), measure; three servers behind nginx
	@.ci/tools go mariadb nginx
	@go run ./internal/scale $(ARGS)

fuzz: ## run every fuzz target for FUZZTIME=30s (ARGS="plate money" chooses some)
	@.ci/tools go
	@.ci/fuzz $(ARGS)

clean: ## remove what was built; data/ stays
	@rm -rf bin .cache $(APP)/dist $(APP)/runner/dist
	@find internal/h5/dist $(WEB)/dist -mindepth 1 ! -name .gitkeep -delete
