// Package apitest is a whole house for tests: a cluster of one node on loopback with directory, sales, gateway,
// outbox, API and live socket behind a test server, a payment provider that does as it is told, and fans. Every
// answer that a fan gets is held against openapi.yaml, every frame against asyncapi.yaml.
//
// It is for tests only; nothing of the house imports it.
package apitest
