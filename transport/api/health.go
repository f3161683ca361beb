package api

import (
	"fmt"
	"net/http"
)

// livez says that the process is alive.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "ok") // the prober is gone when this fails
}

// readyz says whether the node serves; balancers ask it. It fails while the node starts, while it drains, and once
// it has left the cluster for good.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !s.o.Ready() {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		why := "not ready"
		if s.o.Why != nil && s.o.Why() != "" {
			why = s.o.Why()
		}
		_, _ = fmt.Fprintln(w, "[-]serving "+why)
		return
	}
	_, _ = fmt.Fprintln(w, "[+]serving ok")
}
