package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// planCache keeps each event's geometry encoded; a plan never changes while it is on sale.
type planCache struct {
	mu    sync.Mutex
	plans map[sale.EventID]*encodedPlan
}

type encodedPlan struct {
	hash       string
	policy     string // hash of everything the sale was made with
	json, gzip []byte
}

func (c *planCache) get(v *event.View) *encodedPlan {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.plans[v.Event]; ok {
		return p
	}
	p := encodePlan(v.Config.Plan)
	announced := *v.Config
	announced.Epoch = 0 // the same file has the same hash after a restore
	policy := sha256.Sum256(sale.AppendConfig(nil, &announced))
	p.policy = hex.EncodeToString(policy[:])
	if c.plans == nil {
		c.plans = make(map[sale.EventID]*encodedPlan)
	}
	c.plans[v.Event] = p
	return p
}

// The geometry as columns: eight thousand seats are 30 KB compressed this way and parse in a blink on a phone.
type (
	planJSON struct {
		Name       string         `json:"name"`
		Width      int32          `json:"width"`
		Height     int32          `json:"height"`
		Categories []planCategory `json:"categories"`
		Sections   []planSection  `json:"sections"`
		Rows       []planRow      `json:"rows"`
		Seats      planSeats      `json:"seats"`
		Areas      []planArea     `json:"areas"`
	}
	planCategory struct {
		ID    int    `json:"id"`
		Name  string `json:"name"`
		Color string `json:"color"`
	}
	planSection struct {
		ID    int      `json:"id"`
		Label string   `json:"label"`
		Zone  string   `json:"zone"`
		Focal [2]int32 `json:"focal"`
	}
	planRow struct {
		Section uint16         `json:"section"`
		Label   string         `json:"label"`
		First   seatmap.UnitID `json:"first"`
		Count   uint16         `json:"count"`
	}
	planSeats struct {
		X        []int32  `json:"x"`
		Y        []int32  `json:"y"`
		Label    []string `json:"label"`
		Category []uint16 `json:"category"`
		Flags    []uint16 `json:"flags"`
	}
	planArea struct {
		Unit     int        `json:"unit"`
		Label    string     `json:"label"`
		Section  uint16     `json:"section"`
		Category uint16     `json:"category"`
		Capacity uint32     `json:"capacity"`
		X        int32      `json:"x"`
		Y        int32      `json:"y"`
		Outline  [][2]int32 `json:"outline"`
	}
)

func encodePlan(p *seatmap.Plan) *encodedPlan {
	out := planJSON{
		Name: p.Name, Width: p.Width, Height: p.Height,
		Categories: []planCategory{}, Sections: []planSection{}, Rows: []planRow{}, Areas: []planArea{},
		Seats: planSeats{X: []int32{}, Y: []int32{}, Label: []string{}, Category: []uint16{}, Flags: []uint16{}},
	}
	for i, c := range p.Categories {
		out.Categories = append(out.Categories, planCategory{ID: i, Name: c.Name, Color: c.Color})
	}
	for i, s := range p.Sections {
		out.Sections = append(out.Sections, planSection{ID: i, Label: s.Label, Zone: s.Zone, Focal: [2]int32{s.FocalX, s.FocalY}})
	}
	for _, r := range p.Rows {
		out.Rows = append(out.Rows, planRow{Section: r.Section, Label: r.Label, First: r.First, Count: r.Count})
	}
	for _, s := range p.Seats {
		out.Seats.X, out.Seats.Y = append(out.Seats.X, s.X), append(out.Seats.Y, s.Y)
		out.Seats.Label = append(out.Seats.Label, s.Label)
		out.Seats.Category = append(out.Seats.Category, s.Category)
		out.Seats.Flags = append(out.Seats.Flags, uint16(s.Flags))
	}
	for i, a := range p.Areas {
		area := planArea{
			Unit: len(p.Seats) + i, Label: a.Label, Section: a.Section, Category: a.Category, Capacity: a.Capacity,
			X: a.X, Y: a.Y, Outline: [][2]int32{},
		}
		for _, pt := range a.Outline {
			area.Outline = append(area.Outline, [2]int32{pt.X, pt.Y})
		}
		out.Areas = append(out.Areas, area)
	}
	b, err := json.Marshal(out)
	if err != nil {
		b = []byte("{}") // numbers and strings always encode
	}
	sum := sha256.Sum256(b)
	var z bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&z, gzip.BestCompression) // the level is valid
	_, _ = zw.Write(b)                                     // memory
	_ = zw.Close()
	return &encodedPlan{hash: hex.EncodeToString(sum[:8]), json: b, gzip: z.Bytes()}
}
