package record

// ReadRunOf is ReadRun with another bound.
var ReadRunOf = readRun
