// Package wire is what travels between Catraca and the programs that talk to it: the JSON bodies of the HTTP API,
// the frames of the live socket, public identifiers, problems and close codes. It encodes and decodes; it asks no
// one and decides nothing. The full contract is the served openapi.json and asyncapi.json.
package wire
