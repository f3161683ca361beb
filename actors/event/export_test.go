package event

// Repeatable is for the tests.
var Repeatable = repeatable
