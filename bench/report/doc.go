// Package report shows people what a run of the bench found: as text for a chat, as one HTML file that needs no network,
// as JUnit for a build, beside another run, and over months.
//
// The promise: the verdict comes first, nothing that was recorded as broken, failed or invalid is left out, and no text of
// a run can become markup or script. The same run gives the same bytes.
//
// Deliberately absent: measuring anything, and reading the files of runs (package record).
package report
