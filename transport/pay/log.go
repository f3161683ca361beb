package pay

import (
	"context"
	"fmt"
	"log/slog"
)

// clientLog carries the client library's own log to slog. Its debug lines hold whole answers with client secrets and
// are dropped; its errors are ours to judge, so they arrive as warnings.
type clientLog struct{ log *slog.Logger }

func (l clientLog) Debugf(context.Context, string, ...any) {}

func (l clientLog) Infof(ctx context.Context, format string, v ...any) {
	l.write(ctx, slog.LevelDebug, format, v)
}

func (l clientLog) Warnf(ctx context.Context, format string, v ...any) {
	l.write(ctx, slog.LevelWarn, format, v)
}

func (l clientLog) Errorf(ctx context.Context, format string, v ...any) {
	l.write(ctx, slog.LevelWarn, format, v)
}

func (l clientLog) write(ctx context.Context, level slog.Level, format string, v []any) {
	if l.log.Enabled(ctx, level) {
		l.log.Log(ctx, level, "payment client reports", "detail", fmt.Sprintf(format, v...))
	}
}
