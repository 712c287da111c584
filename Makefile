# infisync. `make help` lists what there is.
GO      ?= go
VERSION ?=
# Not a time: at its end Go 1.26 may fail without a finding (go.dev/issue/75804).
FUZZTIME ?= 300000x
export CGO_ENABLED = 0
TAGS    = urfave_cli_no_docs
LDFLAGS = -s -w$(if $(VERSION), -X main.version=$(VERSION))
# Packages that ./... leaves out.
ASIDE   = ./testdata/bench/... ./testdata/container ./source/export/testdata/environ
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
VULNDB  ?= https://vuln.go.dev
TARGETS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## build ./infisync, static and stripped
	$(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o infisync .

man: build ## write the manual page, infisync.1
	./infisync man >infisync.1

demo: build ## see it work: login, pull, start, rotate, restart, on an emulated server
	@$(GO) run ./examples/demo -infisync ./infisync

test: ## run the tests (no race detector, no cgo)
	$(GO) test -timeout 30m ./...
	@for t in podman age strace jq dot less bash zsh fish mandoc setpriv unshare promtool systemd-analyze; do command -v $$t >/dev/null || \
	  echo "left out: the tests that need $$t, which is not here"; done

check: ## what must hold before a commit: formatting, vet, staticcheck, races, other systems
	@out=$$(gofmt -l . 2>&1); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }
	$(GO) vet ./... $(ASIDE)
	$(GO) run $(STATICCHECK) ./... $(ASIDE)
	$(GO) mod tidy -diff
	@set -e; for t in $(TARGETS); do echo "vet $$t"; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet ./... ; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -trimpath -o /dev/null . ; done
	CGO_ENABLED=1 $(GO) test -race -timeout 30m -skip '^(TestReproducibleBuild|TestNothingPilesUp)$$' ./... # two builds race nowhere, and the detector's memory piles up

bench: build ## measure what it costs, the parts that are always used, and requests that fail in rotations
	$(GO) run ./testdata/bench -infisync ./infisync
	$(GO) test -run '^$$' -bench . -benchtime 300ms -benchmem ./inject ./source/...
	$(GO) test -run '^$$' -bench . -benchtime 1x ./examples/zero-downtime

fuzz: ## fuzz each target for so many executions, such as FUZZTIME=20000x
	@set -e; list=$$($(GO) test -list '^Fuzz' ./...); echo "$$list" | \
	awk '/^Fuzz/ {target[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, target[i]; n = 0}' | \
	while read -r package target; do echo "$$target"; \
	  $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package </dev/null; done

faults: ## print the matrix of what fails when, and what the child ran with
	INFISYNC_FAULTS=all $(GO) test -run '^TestFaults$$' -v -count=1 -timeout 30m .

promises: ## break each promise of SECURITY.md by a line, and print which test failed
	INFISYNC_SOAK=1 $(GO) test -run '^TestBrokenPromises$$' -v -count=1 -timeout 60m ./source/promises

soak: promises ## the long tests: 50 signal storms and rotations under load, all faults, kills at every step
	INFISYNC_SOAK=1 $(GO) test -run '^TestNothingPilesUp$$' -v -count=1 . # the race detector's own memory would count
	INFISYNC_SOAK=50 INFISYNC_FAULTS=all CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 60m -skip '^(TestBrokenPromises|TestNothingPilesUp)$$' ./...

vuln: ## look for known vulnerabilities in what is linked; VULNDB=URL names another database
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && GOBIN=$$dir $(GO) install $(GOVULNCHECK) && \
	{ "$$dir/govulncheck" -db $(VULNDB) -tags '$(TAGS)' ./... 2>"$$dir/errors" || \
	  { cat "$$dir/errors"; grep -q '^govulncheck: fetching vulnerabilities' "$$dir/errors" && \
	    echo "left out: the check for known vulnerabilities, whose database cannot be had here"; }; }

cover: ## test coverage by function
	@$(GO) test -timeout 30m -coverpkg=./... -coverprofile=cover.out ./... >cover.log 2>&1 || { cat cover.log; exit 1; }
	$(GO) tool cover -func=cover.out | tail -n 1

clean: ## remove what was built
	rm -rf infisync infisync.1 cover.out cover.log dist

.PHONY: help build man demo test check bench fuzz faults promises soak vuln cover clean
