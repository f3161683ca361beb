package page

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

//go:embed files
var embedded embed.FS

// Options of the pages. API is required, everything else has a sensible zero.
type Options struct {
	// API answers /api/v1 and is called in this process, on the goroutine of the page's request.
	API http.Handler

	// Files replaces the embedded files folder, for editing live: it is read again for every request and nothing
	// is cached by browsers. nil means the embedded files, read once.
	Files fs.FS

	// Logger gets one line per page that failed for a reason of ours. nil discards.
	Logger *slog.Logger

	// Secure says that fans come over TLS: adds Strict-Transport-Security and marks the language cookie Secure.
	Secure bool

	// PaymentOrigins are the origins (https://host[:port]) a payment form may lead to; they go into form-action.
	PaymentOrigins []string

	// MailURL, when set, is where the demonstration mailbox is; pages that mention mail link to it.
	MailURL string
}

// Handler serves the pages. Safe for concurrent use.
type Handler struct {
	opts  Options
	log   *slog.Logger
	mux   http.Handler
	plans planCache
	fixed *bundle // nil when files are read live
	gzips sync.Pool
}

// New reads the files once, so a broken template or text is an error here and not a broken page later.
func New(o Options) (http.Handler, error) {
	h, err := newHandler(o)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func newHandler(o Options) (*Handler, error) {
	if o.API == nil {
		return nil, errors.New("open pages: API is nil")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for i, origin := range o.PaymentOrigins {
		if err := checkOrigin(origin); err != nil {
			return nil, fmt.Errorf("open pages: payment origin %d: %w", i, err)
		}
	}
	h := &Handler{opts: o, log: o.Logger}
	files := o.Files
	if files == nil {
		sub, err := fs.Sub(embedded, "files")
		if err != nil {
			return nil, fmt.Errorf("open pages: %w", err)
		}
		files = sub
	}
	b, err := loadBundle(files)
	if err != nil {
		return nil, fmt.Errorf("open pages: %w", err)
	}
	if o.Files == nil {
		h.fixed = b
	}
	h.mux = h.routes()
	return h, nil
}

// checkOrigin accepts scheme://host[:port] and nothing else: the value is written into a header.
func checkOrigin(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Scheme+"://"+u.Host != s || !plainHost(u.Host) {
		return fmt.Errorf("%q is not an origin: allowed is http(s)://host[:port]", s)
	}
	return nil
}

// plainHost says whether s can stand in a header as a host: letters, digits, dots, dashes, colons and brackets.
func plainHost(s string) bool {
	return s != "" && len(s) <= 255 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == ""
}

// ServeHTTP serves one page, form or asset.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// bundle is the parsed files: the ones read at start, or, when editing live, as they are now.
func (h *Handler) bundle() (*bundle, error) {
	if h.fixed != nil {
		return h.fixed, nil
	}
	return loadBundle(h.opts.Files)
}

// screen renders one page or carries out one form. A returned error becomes a page in fail.
type screen func(v *visit) error

func (h *Handler) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, s := range map[string]screen{
		"GET /{$}":               h.home,
		"GET /e/{slug}":          h.event,
		"GET /e/{slug}/queue":    h.queue,
		"POST /e/{slug}/queue":   h.join,
		"POST /e/{slug}/claim":   h.claim,
		"POST /e/{slug}/leave":   h.leave,
		"GET /e/{slug}/seats":    h.seats,
		"POST /e/{slug}/hold":    h.hold,
		"POST /e/{slug}/release": h.release,
		"POST /e/{slug}/renew":   h.renew,
		"GET /e/{slug}/checkout": h.checkout,
		"POST /e/{slug}/pay":     h.pay,
		"POST /e/{slug}/cancel":  h.cancel,
		"GET /orders":            h.orders,
		"GET /orders/{id}":       h.order,
		"GET /sign-in":           h.signInForm,
		"POST /sign-in":          h.signIn,
		"GET /sign-up":           h.signUpForm,
		"POST /sign-up":          h.signUp,
		"POST /sign-out":         h.signOut,
		"POST /lang":             h.language,
		"GET /help":              h.help,
		"GET /problems/{code}":   h.problem,
		"GET /":                  h.missing,
	} {
		mux.Handle(pattern, h.serve(s))
	}
	mux.HandleFunc("GET /assets/{name}", h.asset)
	mux.HandleFunc("GET /favicon.ico", h.favicon)
	mux.HandleFunc("GET /e/{slug}/plan/{file}", h.planPicture)
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(h.serve(func(*visit) error {
		return &problem{Code: "foreign-origin", Status: http.StatusForbidden}
	}))
	return guard.Handler(mux)
}
