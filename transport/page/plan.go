package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
)

// plan is the seating plan as the API sends it: columns, the index is the unit.
type plan struct {
	Name       string     `json:"name"`
	Width      float64    `json:"width"`
	Height     float64    `json:"height"`
	Categories []category `json:"categories"`
	Sections   []section  `json:"sections"`
	Rows       []planRow  `json:"rows"`
	Seats      struct {
		X        []float64 `json:"x"`
		Y        []float64 `json:"y"`
		Label    []string  `json:"label"`
		Category []int     `json:"category"`
		Flags    []int     `json:"flags"`
	} `json:"seats"`
	Areas []planArea `json:"areas"`
}

type planRow struct {
	Section int    `json:"section"`
	Label   string `json:"label"`
	First   int    `json:"first"`
	Count   int    `json:"count"`
}

type planArea struct {
	Unit     int          `json:"unit"`
	Label    string       `json:"label"`
	Section  int          `json:"section"`
	Category int          `json:"category"`
	Capacity int64        `json:"capacity"`
	X        float64      `json:"x"`
	Y        float64      `json:"y"`
	Outline  [][2]float64 `json:"outline"`
}

// check makes sure that every index of the plan may be used.
func (p *plan) check() error {
	n := len(p.Seats.X)
	if len(p.Seats.Y) != n || len(p.Seats.Label) != n || len(p.Seats.Category) != n || len(p.Seats.Flags) != n {
		return fmt.Errorf("read plan: seat columns differ in length")
	}
	for i := range n {
		if math.Abs(p.Seats.X[i]) > 1e9 || math.Abs(p.Seats.Y[i]) > 1e9 {
			return fmt.Errorf("read plan: seat %d lies outside ±1e9", i)
		}
	}
	for i, r := range p.Rows {
		if r.First < 0 || r.Count < 0 || r.First+r.Count > n || r.Section < 0 || r.Section >= len(p.Sections) {
			return fmt.Errorf("read plan: row %d points outside", i)
		}
	}
	for i, a := range p.Areas {
		if a.Section < 0 || a.Section >= len(p.Sections) {
			return fmt.Errorf("read plan: area %d points outside", i)
		}
		for _, q := range append(a.Outline, [2]float64{a.X, a.Y}) {
			if math.Abs(q[0]) > 1e9 || math.Abs(q[1]) > 1e9 {
				return fmt.Errorf("read plan: area %d lies outside ±1e9", i)
			}
		}
	}
	return nil
}

// drawn is a plan with its picture.
type drawn struct {
	plan    *plan
	picture asset
}

// planCache keeps the last few plans; an address with a hash never changes its content. Building holds the lock, so
// a stampede builds once.
type planCache struct {
	mu   sync.Mutex
	urls []string // oldest first
	byID map[string]*drawn
}

const plansKept = 16

// get finds or builds. build runs under the lock.
func (c *planCache) get(url string, build func() (*drawn, error)) (*drawn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.byID[url]; d != nil {
		return d, nil
	}
	d, err := build()
	if err != nil {
		return nil, err
	}
	if c.byID == nil {
		c.byID = map[string]*drawn{}
	}
	if len(c.urls) >= plansKept {
		delete(c.byID, c.urls[0])
		c.urls = c.urls[1:]
	}
	c.byID[url], c.urls = d, append(c.urls, url)
	return d, nil
}

// loadPlan fetches the plan at an address the API gave.
func (v *visit) loadPlan(url string) (*drawn, error) {
	return v.h.plans.get(url, func() (*drawn, error) {
		a := v.ask(http.MethodGet, url, nil)
		if a.status >= 400 || a.full {
			return nil, a.problem()
		}
		raw, err := a.text()
		if err != nil {
			return nil, err
		}
		p := &plan{}
		if err := json.Unmarshal(raw, p); err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		if err := p.check(); err != nil {
			return nil, err
		}
		p.squeeze()
		svg := p.picture()
		return &drawn{plan: p, picture: asset{kind: "image/svg+xml", plain: svg, gz: compress(svg)}}, nil
	})
}

// planPictureURL is where the picture of an event's plan is served, under the plan's own hash.
func planPictureURL(e event) string {
	i := strings.LastIndexByte(e.PlanURL, '/')
	hash, ok := strings.CutSuffix(e.PlanURL[i+1:], ".json")
	if i < 0 || !ok || !plainHost(hash) {
		return ""
	}
	return "/e/" + e.Slug + "/plan/" + hash + ".svg"
}

// planPicture serves the plan as a small drawing, for the event page.
func (h *Handler) planPicture(w http.ResponseWriter, r *http.Request) {
	hash, ok := strings.CutSuffix(r.PathValue("file"), ".svg")
	if !ok || !plainHost(hash) || !plainHost(r.PathValue("slug")) {
		http.NotFound(w, r)
		return
	}
	v := &visit{h: h, w: w, r: r}
	d, err := v.loadPlan("/api/v1/events/" + r.PathValue("slug") + "/plan/" + hash + ".json")
	if err != nil {
		status := http.StatusServiceUnavailable
		if p, ok := errors.AsType[*problem](err); ok {
			status = p.Status
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "no plan", status)
		return
	}
	d.picture.serve(w, r, "public, max-age=31536000, immutable")
}
