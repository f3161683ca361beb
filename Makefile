# Catraca. `make demo` needs only Go; `make test` installs what the tests need.
GO ?= go
LINT := $(GO) tool -modfile=.ci/lint.mod golangci-lint

.PHONY: help demo build test check bench fmt clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: ## run a whole sale on this machine
	$(GO) run ./cmd/catraca demo $(ARGS)

build: ## build the static binary into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/...

test: ## run every test with the race detector
	@.ci/prepare
	$(GO) test -race -timeout 15m $(ARGS) $$($(GO) list ./... | grep /catraca/catraca/)
	@echo 'the whole, with real processes and a browser:'
	$(GO) test -race -timeout 20m -v $(ARGS) .

check: ## formatting, vet, house rules, lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'gofmt differs:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) test -count=1 -run '^TestHouse' .
	$(LINT) run ./...

bench: ## run the benchmarks beside the code
	$(GO) test -run '^$$' -bench . -benchmem ./actors/... ./storage/... ./cluster/...

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built
	rm -rf bin
