package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/catraca/catraca/transport/wire"
)

// maxRequests that one node answers at once; live sockets do not count. More are told to come back.
const maxRequests = 2048

// fanRoutes is what the fan address serves.
func (n *node) fanRoutes(pages http.Handler, extra map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /api/v1/events/{event}/live", n.live)
	// The cluster is steered on the operator address alone.
	mux.HandleFunc(clusterPath, func(w http.ResponseWriter, _ *http.Request) { wire.NewProblem(wire.NotFound, "").Write(w) })
	mux.HandleFunc(clusterPath+"/", func(w http.ResponseWriter, _ *http.Request) { wire.NewProblem(wire.NotFound, "").Write(w) })
	for _, p := range []string{"/api/", "/.well-known/jwks.json", "/openapi.json", "/asyncapi.json", "/livez", "/readyz"} {
		mux.Handle(p, n.api)
	}
	for p, h := range extra {
		mux.Handle(p, h)
	}
	mux.Handle("/", pages)
	return n.guard(n.shed(mux))
}

// whenOpen answers fans only once this node has everything that was sold before; the health checks it answers always.
func (n *node) whenOpen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.opened.Load() || r.URL.Path == "/livez" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		p := wire.NewProblem(wire.Unavailable, "")
		p.RetryAfter = 1000
		p.Write(w)
	})
}

// operatorRoutes is what operators reach, never the internet. Commands of this machine come by the house's token.
func (n *node) operatorRoutes() (http.Handler, error) {
	token, err := houseToken(n.cfg.Node.Data)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", n.api.House(token))
	mux.Handle("POST "+backupPath, n.backupHandler(token))
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.registry, promhttp.HandlerOpts{Registry: n.registry}))
	mux.Handle("GET /livez", n.api)
	mux.Handle("GET /readyz", n.api)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "catraca operator address: /metrics /livez /readyz /debug/pprof/ /api/v1/admin/") // the visitor is gone when this fails
	})
	return n.guard(mux), nil
}

// guard keeps one broken request from ending the others.
func (n *node) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // the sentinel is compared as the server does
				panic(p)
			}
			n.log.Error("handler panicked", slog.String("route", r.Pattern), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			w.WriteHeader(http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// shed refuses early what would only wait: an overloaded node stays quick for those it serves.
func (n *node) shed(next http.Handler) http.Handler {
	slots := make(chan struct{}, maxRequests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			p := wire.NewProblem(wire.Busy, "")
			p.RetryAfter = 1000
			p.Write(w)
		}
	})
}
