// Package seating turns seating plans drawn elsewhere into plans the sale can use: pretix seating-plan JSON and
// seats.io charts.
//
// It promises to name every defect by its path in the file, to decide adjacency from where the seats stand and never from
// printed numbers, and to return only plans that pass [seatmap.Plan.Validate]. A defective file is refused with the whole list;
// nothing is mended silently, and duplicate keys are replaced only on request.
//
// Deliberately absent: drawings (shapes, texts, pictures), tables and areas sold as a whole, booths, and export.
package seating
