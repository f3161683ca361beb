package seating

import (
	"fmt"
)

// Formats a file can have.
const (
	FormatPretix  = "pretix"
	FormatSeatsio = "seats.io"
)

// Codes of defects. The set is closed, so that an interface can explain each.
const (
	CodeSyntax          = "syntax"           // not JSON, or nested or sized beyond the bounds
	CodeFormat          = "format"           // JSON, but no known seating plan
	CodeMissing         = "missing"          // a property that is needed is not there
	CodeWrongType       = "wrong_type"       // a string where a number belongs, and so on
	CodeUnknownValue    = "unknown_value"    // a value that the format does not define
	CodeUnknownProperty = "unknown_property" // a property that the format does not define; it is ignored
	CodeRepeated        = "repeated"         // a property stands twice in one object; the last one counts
	CodeNotFinite       = "not_finite"       // a coordinate beyond floating point
	CodeOutOfRange      = "out_of_range"     // a number beyond what a plan may hold
	CodeFraction        = "fraction"         // not whole where the format wants a whole number
	CodeDuplicateKey    = "duplicate_key"    // several units or categories share a key
	CodeUnknownCategory = "unknown_category" // a seat or area of a category that is not listed
	CodeNoLabel         = "no_label"         // a seat or row nobody could find
	CodeEmptyRow        = "empty_row"        // a row without seats; it is left out
	CodeOverlap         = "overlap"          // two seats at the same point
	CodeUnsupported     = "unsupported"      // something sold that this importer cannot sell rightly
	CodeNoPrice         = "no_price"         // prices were given, but none for a category in use
	CodeUnusedPrice     = "unused_price"     // a price for a category that is not in the plan
	CodeTooLong         = "too_long"         // a name, label or key of more than 200 bytes
	CodeTooMany         = "too_many"         // more than a plan, or this report, may hold
	CodeInvalid         = "invalid"          // the finished plan breaks a rule of the sale
)

// maxDefects bounds a report.
const maxDefects = 10_000

// Report is what an import found. Counts are of the finished plan, 0 when it was refused.
type Report struct {
	Format  string   `json:"format"`
	Seats   int      `json:"seats"`
	Areas   int      `json:"areas"`
	Rows    int      `json:"rows"`
	Defects []Defect `json:"defects,omitempty"`
	// Sections counts blocks of rows or areas; Rekeyed counts units whose key was replaced.
	Sections int `json:"sections"`
	Rekeyed  int `json:"rekeyed"`
}

// Defect is one thing wrong with a file. Path leads to it, such as zones[0].rows[3].seats[2].seat_guid; it is empty for the file
// itself. A fatal defect refuses the plan.
type Defect struct {
	Path    string `json:"path"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Fatal   bool   `json:"fatal"`
}

func (d Defect) String() string {
	if d.Path == "" {
		return d.Message
	}
	return d.Path + ": " + d.Message
}

// Fatal counts the defects that refuse the plan.
func (r *Report) Fatal() int {
	n := 0
	for _, d := range r.Defects {
		if d.Fatal {
			n++
		}
	}
	return n
}

// DefectError refuses a plan. It tells the first fatal defect and how many there are; the report has them all.
type DefectError struct{ Report *Report }

func (e *DefectError) Error() string {
	n := e.Report.Fatal()
	for _, d := range e.Report.Defects {
		if d.Fatal {
			if n == 1 {
				return "import seating plan: " + d.String()
			}
			return fmt.Sprintf("import seating plan: %d defects, the first: %s", n, d)
		}
	}
	return "import seating plan: refused"
}

// fault adds a fatal defect.
func (r *Report) fault(path, code, format string, args ...any) {
	r.add(Defect{path, code, fmt.Sprintf(format, args...), true})
}

// warn adds a defect that does not refuse the plan.
func (r *Report) warn(path, code, format string, args ...any) {
	r.add(Defect{path, code, fmt.Sprintf(format, args...), false})
}

// add keeps room for one last word; a fatal defect takes the place of nothing, because too many are fatal anyway.
func (r *Report) add(d Defect) {
	switch n := len(r.Defects); {
	case n < maxDefects:
		r.Defects = append(r.Defects, d)
	case n == maxDefects:
		r.Defects = append(r.Defects, Defect{"", CodeTooMany, fmt.Sprintf("more than %d defects, the rest is not listed", maxDefects), true})
	}
}
