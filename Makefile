# Catraca. `make demo` needs only Go; `make test` installs what the tests need.
GO ?= go
LINT := $(GO) tool -modfile=.ci/lint.mod golangci-lint

.PHONY: help demo build peers sockets test check bench results microbench engine chaos rolling powercuts flips mutants planted fmt clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## run a whole sale on this machine
	$(GO) run ./cmd/catraca demo $(ARGS)

build: ## build the static binary into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/...

peers: build ## build what catraca-bench compares with PostgreSQL, Redis and etcd
	CGO_ENABLED=0 $(GO) build -C bench/peers -trimpath -ldflags='-s -w' -o ../../bin/catraca-bench-peers .

sockets: build ## compare what a live socket costs with centrifuge
	CGO_ENABLED=0 $(GO) build -C bench/sockets -trimpath -ldflags='-s -w' -o ../../bin/catraca-bench-sockets .
	bin/catraca-bench sockets --results bench/results $(ARGS)

test: ## run every test with the race detector
	@.ci/prepare
	$(GO) test -race -timeout 15m $(ARGS) $$($(GO) list ./... | grep /catraca/catraca/)
	@echo 'the whole, with real processes and a browser:'
	$(GO) test -race -timeout 20m -v $(ARGS) .

check: ## formatting, vet, house rules, lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'gofmt differs:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) test -count=1 -run '^TestHouse' .
	$(LINT) run --allow-parallel-runners ./...

bench: build ## run the canonical set of load tests, about ten minutes; the report goes to bench-results
	bin/catraca-bench set --results bench/results $(ARGS); code=$$?; $(MAKE) --no-print-directory results; exit $$code

results: ## chart what is kept in bench/results over time, in docs/results.html
	@$(GO) run ./cmd/catraca-bench report --history bench/results -o html --out docs/results.html

microbench: ## run the benchmarks beside the code
	$(GO) test -run '^$$' -bench . -benchmem ./actors/... ./storage/... ./cluster/...

engine: ## measure the engine in processes of its own, against what is promised
	$(GO) build -o bin/ ./cmd/catraca-bench
	bin/catraca-bench engine --results bench/results $(ARGS); code=$$?; $(MAKE) --no-print-directory results; exit $$code

chaos: ## a hundred rounds of kills, stops, partitions and moves on three nodes
	CATRACA_CHAOS_ROUNDS=$${CATRACA_CHAOS_ROUNDS:-100} $(GO) test -count=1 -timeout 6h -v -run '^TestChaos$$' $(ARGS) .

rolling: ## restart three nodes one by one under five thousand fans
	CATRACA_FANS=$${CATRACA_FANS:-5000} $(GO) test -count=1 -timeout 1h -v -run '^TestRollingRestart$$' $(ARGS) .

powercuts: ## a hundred cuts of all nodes at once, on disks that forget what was not flushed
	CATRACA_CUTS=$${CATRACA_CUTS:-100} $(GO) test -count=1 -timeout 6h -v -run 'TestPowerCut' $(ARGS) . ./storage/disktest

flips: ## two thousand single-bit flips in a node's log
	CATRACA_FLIPS=$${CATRACA_FLIPS:-2000} $(GO) test -count=1 -timeout 1h -v -run 'Flip' $(ARGS) ./storage

mutants: ## break promises one by one; a test must notice each
	.ci/mutants/run $(ARGS)

planted: ## plant defects in the server; a crowd comes, and catraca-bench must find each
	.ci/mutants/run planted $(ARGS)

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built
	rm -rf bin bench-results
