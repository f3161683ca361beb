package page

import (
	"net/http"
	"strconv"
)

// sectionFree is a section with what is left in it.
type sectionFree struct {
	ID    int
	Label string
	Zone  string
	Free  int64
	From  money // cheapest total
}

// sectionRows is one section seat by seat, for visitors without scripts.
type sectionRows struct {
	ID    int
	Label string
	Rows  []rowSeats
}

type rowSeats struct {
	Label string
	Seats []seatChoice
}

type seatChoice struct {
	Unit     int
	Label    string
	Category category
	Flags    int
}

// Accessible says whether it is a wheelchair place.
func (s seatChoice) Accessible() bool { return s.Flags&1 != 0 }

// Companion says whether it is beside a wheelchair place.
func (s seatChoice) Companion() bool { return s.Flags&2 != 0 }

// Restricted says whether part of the stage cannot be seen.
func (s seatChoice) Restricted() bool { return s.Flags&4 != 0 }

type areaFree struct {
	Unit     int
	Label    string
	Free     int64
	Category category
}

// stock is the availability as the API sends it.
type stock struct {
	Version int64  `json:"version"`
	Status  string `json:"status"`
	Areas   []struct {
		Unit int   `json:"unit"`
		Free int64 `json:"free"`
	} `json:"areas"`
}

// listSeats fills the sections with their free places and, when ?section= asks for one, its rows.
func (v *visit) listSeats(d *seatsData) error {
	if d.E.PlanURL == "" {
		return nil
	}
	got, err := v.loadPlan(d.E.PlanURL)
	if err != nil {
		return err
	}
	var st stock
	if err := v.api(http.MethodGet, "events/"+v.slug()+"/seats", nil, &st); err != nil {
		return err
	}
	byID := map[int]category{}
	for _, c := range d.E.Category {
		byID[c.ID] = c
	}
	p := got.plan
	d.Sections = make([]sectionFree, len(p.Sections))
	for i, s := range p.Sections {
		d.Sections[i] = sectionFree{ID: s.ID, Label: s.Label, Zone: s.Zone}
	}
	for _, r := range p.Rows {
		for u := r.First; u < r.First+r.Count; u++ {
			if u < len(st.Status) && st.Status[u] == 'f' {
				d.Sections[r.Section].add(1, byID[p.Seats.Category[u]])
			}
		}
	}
	free := map[int]int64{}
	for _, a := range st.Areas {
		free[a.Unit] = a.Free
	}
	for _, a := range p.Areas {
		c := byID[a.Category]
		d.Sections[a.Section].add(free[a.Unit], c)
		d.Areas = append(d.Areas, areaFree{a.Unit, a.Label, free[a.Unit], c})
	}
	if i, err := strconv.Atoi(v.r.URL.Query().Get("section")); err == nil && i >= 0 && i < len(p.Sections) {
		d.Open = p.openSection(i, st.Status, byID)
	}
	return nil
}

func (s *sectionFree) add(n int64, c category) {
	if n <= 0 {
		return
	}
	s.Free += n
	if t := c.Total(); s.From.Currency == "" || t.Amount < s.From.Amount {
		s.From = t
	}
}

// openSection lists the free seats of one section.
func (p *plan) openSection(i int, status string, byID map[int]category) *sectionRows {
	out := &sectionRows{ID: i, Label: p.Sections[i].Label}
	for _, r := range p.Rows {
		if r.Section != i {
			continue
		}
		row := rowSeats{Label: r.Label}
		for u := r.First; u < r.First+r.Count; u++ {
			if u < len(status) && status[u] == 'f' {
				row.Seats = append(row.Seats, seatChoice{u, p.Seats.Label[u], byID[p.Seats.Category[u]], p.Seats.Flags[u]})
			}
		}
		if len(row.Seats) > 0 {
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}
