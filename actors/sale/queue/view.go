package queue

// View is the queue at one moment, for the edge. It does not change and may be read by any number of goroutines.
type View struct {
	Front    Place // the turn of all places up to here has come
	Counts   Counts
	Exposure Exposure
	Policy   Policy
	Clock    int64 // unix ms

	rank rank
}

// Ahead is Queue.Ahead at the moment of the view.
func (v *View) Ahead(p Place) uint32 { return ahead(&v.rank, p, v.Front, v.Counts.Returned) }

// View returns the queue as it is. Its cost is some 4 bytes per 1,024 places; changes made afterwards copy the pages
// they touch.
func (q *Queue) View() *View {
	return &View{
		Front: q.front, Counts: q.Counts(), Exposure: q.exposure, Policy: q.policy, Clock: q.clock,
		rank: q.line.view(),
	}
}
