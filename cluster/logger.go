package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// raftLogger lets raft write to a slog.Logger. What raft says at Info about its daily work becomes Debug.
type raftLogger struct {
	out     *slog.Logger
	name    string
	implied []any
}

var _ hclog.Logger = (*raftLogger)(nil)

// quiet are warnings that belong to every start, stop and election, and those that every shard repeats for as long as
// another node does not answer: that is told once, by the link to it.
func quiet() []string {
	return []string{
		"heartbeat timeout reached, starting election",
		"heartbeat timeout reached, not part of a stable configuration or a non-voter, not triggering a leader election",
		"Election timeout reached, restarting election",
		"no known peers, aborting election",
		"not part of stable configuration, aborting election",
		"skipping application of old log",
		"unable to get address for server, using fallback address",
		"failed to heartbeat to",
		"failed to appendEntries to",
		"failed to make requestVote RPC",
		"failed to contact",
		"peer has newer term, stopping replication",
		"appendEntries rejected, sending older logs",
		"failed to get previous log",
		"previous log term mis-match",
		"rejecting vote request since node is not in configuration",
		"rejecting vote request since we have a leader",
		"rejecting vote request since node is not a voter",
		"rejecting vote request since our last term is greater",
		"rejecting vote request since our last index is greater",
		"rejecting pre-vote request since node is not in configuration",
		"rejecting pre-vote request since we have a leader",
		"rejecting pre-vote request since node is not a voter",
		"rejecting pre-vote request since our last term is greater",
		"rejecting pre-vote request since our last index is greater",
		"duplicate requestVote from",
	}
}

// Log implements hclog.Logger.
func (l *raftLogger) Log(level hclog.Level, msg string, args ...any) {
	to := slogLevel(level)
	if isQuiet(msg, args) {
		to = slog.LevelDebug
	}
	if !l.out.Enabled(context.Background(), to) {
		return
	}
	attrs := make([]any, 0, len(args)+2)
	attrs = append(attrs, "text", msg)
	for i := 0; i+1 < len(args); i += 2 {
		attrs = append(attrs, strings.ReplaceAll(fmt.Sprint(args[i]), "-", "_"), plain(args[i+1]))
	}
	l.out.Log(context.Background(), to, "raft said", attrs...)
}

func isQuiet(msg string, args []any) bool {
	for _, a := range args {
		if err, ok := a.(error); ok && errors.Is(err, net.ErrClosed) { // a connection we closed ourselves
			return true
		}
	}
	return slices.Contains(quiet(), msg)
}

// plain spells out hclog's deferred formats.
func plain(v any) any {
	switch v := v.(type) {
	case hclog.Format:
		if len(v) > 0 {
			return fmt.Sprintf(fmt.Sprint(v[0]), v[1:]...)
		}
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	return v
}

func slogLevel(l hclog.Level) slog.Level {
	switch {
	case l >= hclog.Error:
		return slog.LevelError
	case l == hclog.Warn:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}

// Trace implements hclog.Logger; raft does not use it.
func (l *raftLogger) Trace(string, ...any) {}

// Debug implements hclog.Logger.
func (l *raftLogger) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }

// Info implements hclog.Logger.
func (l *raftLogger) Info(msg string, args ...any) { l.Log(hclog.Info, msg, args...) }

// Warn implements hclog.Logger.
func (l *raftLogger) Warn(msg string, args ...any) { l.Log(hclog.Warn, msg, args...) }

// Error implements hclog.Logger.
func (l *raftLogger) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

// IsTrace implements hclog.Logger.
func (l *raftLogger) IsTrace() bool { return false }

// IsDebug implements hclog.Logger.
func (l *raftLogger) IsDebug() bool { return l.out.Enabled(context.Background(), slog.LevelDebug) }

// IsInfo implements hclog.Logger.
func (l *raftLogger) IsInfo() bool { return l.IsDebug() }

// IsWarn implements hclog.Logger.
func (l *raftLogger) IsWarn() bool { return l.out.Enabled(context.Background(), slog.LevelWarn) }

// IsError implements hclog.Logger.
func (l *raftLogger) IsError() bool { return l.out.Enabled(context.Background(), slog.LevelError) }

// ImpliedArgs implements hclog.Logger.
func (l *raftLogger) ImpliedArgs() []any { return l.implied }

// With implements hclog.Logger.
func (l *raftLogger) With(args ...any) hclog.Logger {
	next := *l
	next.implied = append(append([]any(nil), l.implied...), args...)
	for i := 0; i+1 < len(args); i += 2 {
		next.out = next.out.With(strings.ReplaceAll(fmt.Sprint(args[i]), "-", "_"), plain(args[i+1]))
	}
	return &next
}

// Name implements hclog.Logger.
func (l *raftLogger) Name() string { return l.name }

// Named implements hclog.Logger.
func (l *raftLogger) Named(name string) hclog.Logger {
	next := *l
	next.name = strings.Trim(l.name+"."+name, ".")
	return &next
}

// ResetNamed implements hclog.Logger.
func (l *raftLogger) ResetNamed(name string) hclog.Logger {
	next := *l
	next.name = name
	return &next
}

// SetLevel implements hclog.Logger; the slog.Handler decides.
func (l *raftLogger) SetLevel(hclog.Level) {}

// GetLevel implements hclog.Logger.
func (l *raftLogger) GetLevel() hclog.Level {
	switch {
	case l.IsDebug():
		return hclog.Debug
	case l.IsWarn():
		return hclog.Warn
	default:
		return hclog.Error
	}
}

// StandardLogger implements hclog.Logger.
func (l *raftLogger) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return slog.NewLogLogger(l.out.Handler(), slog.LevelWarn)
}

// StandardWriter implements hclog.Logger.
func (l *raftLogger) StandardWriter(o *hclog.StandardLoggerOptions) io.Writer {
	return l.StandardLogger(o).Writer()
}
