package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/transport/wire"
)

// Map is the plan of the seats as all fans of a process share it.
type Map struct {
	Plan *hall.Plan
	// URL of the plan under the server's address. Each fan fetches it from there, as each browser does, and looks no further
	// into it.
	URL string

	stocks hall.Stocks
}

// LoadMap fetches a plan by its address under base, from any server of the event.
func LoadMap(ctx context.Context, client *http.Client, base, address string) (*Map, error) {
	body, err := fetchPlan(ctx, client, base+address, "", true)
	if err != nil {
		return nil, fmt.Errorf("load the plan: %w", err)
	}
	p, err := hall.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("load the plan: %w", err)
	}
	return &Map{Plan: p, URL: address}, nil
}

// maxPlan bounds a plan.
const maxPlan = 32 << 20

// fetchPlan gets the plan: its text, or nothing but the time it takes, packed as it comes.
func fetchPlan(ctx context.Context, client *http.Client, address, token string, read bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if !read {
		req.Header.Set("Accept-Encoding", "gzip") // said here, it is not unpacked
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	if res.StatusCode >= http.StatusMultipleChoices {
		no := &RefusedError{wire.Problem{Code: wire.Unavailable}}
		if b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer)); err != nil || json.Unmarshal(b, &no.Problem) != nil {
			no.Code = wire.Unavailable
		}
		no.Status = res.StatusCode
		return nil, no
	}
	if !read {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxPlan))
		return nil, err
	}
	return io.ReadAll(io.LimitReader(res.Body, maxPlan))
}

// browse looks at the map, as long as the fan likes to, and learns what others take meanwhile.
func (v *visit) browse(ctx context.Context) error {
	if v.s.Named && v.f.Map == nil {
		return errors.New("choose seats: the fan has no plan")
	}
	if v.s.Named {
		v.picture = v.f.Map.Plan.Picture()
		if v.link != nil {
			v.link.stocks = &v.f.Map.stocks
			v.link.watch()
			if v.link.send(wire.Up{T: "stock", On: true}) != nil {
				v.hangUp()
			}
		}
	}
	if v.s.Named || v.s.Seats {
		if err := v.timed("map", func() error { return v.loadMap(ctx, true) }); err != nil {
			return err
		}
	}
	return v.linger(ctx, v.s.Linger)
}

// loadMap asks for what is free, and for the plan at the same time if that is not there yet.
func (v *visit) loadMap(ctx context.Context, plan bool) error {
	var planned chan error
	if m := v.f.Map; m != nil && plan {
		planned = make(chan error, 1)
		go func() {
			planned <- v.retry(ctx, func() error {
				_, err := fetchPlan(ctx, v.f.Client, v.f.Base+m.URL, v.f.Token, false)
				return err
			})
		}()
	}
	err := v.loadStates(ctx)
	if planned != nil {
		err = errors.Join(err, <-planned)
	}
	if err != nil {
		return fmt.Errorf("load the map: %w", err)
	}
	return nil
}

func (v *visit) loadStates(ctx context.Context) error {
	r := request{method: http.MethodGet, path: v.event("/seats")}
	if v.picture == nil { // nobody looks into it
		return v.retry(ctx, func() error { return v.f.send(ctx, r, nil) })
	}
	if since := v.picture.Version(); since > 0 {
		r.path += "?since=" + strconv.FormatUint(since, 10)
	}
	var s hall.States
	if err := v.retry(ctx, func() error {
		s = hall.States{}
		return v.f.send(ctx, r, &s)
	}); err != nil {
		return err
	}
	return v.picture.Set(s)
}

// linger is the time a person looks at the map. What comes meanwhile is seen.
func (v *visit) linger(ctx context.Context, d time.Duration) error {
	if v.picture == nil || v.link == nil {
		return v.think(ctx, d)
	}
	v.free = v.free.Add(d)
	for {
		f, err := v.link.read(time.Until(v.free))
		switch {
		case err == nil:
			v.see(f)
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errQuiet):
			return nil
		}
		v.hangUp() // the rest goes over HTTP
		return sleep(ctx, time.Until(v.free))
	}
}
