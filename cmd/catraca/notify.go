package main

import (
	"log/slog"
	"net"
	"strings"
)

// notify tells the service manager how far the process is, as sd_notify(3) does: "READY=1", "STOPPING=1", "STATUS=…".
// Without one (no NOTIFY_SOCKET) it does nothing. A manager that does not listen is no reason to stop serving.
func notify(lookup func(string) (string, bool), state string) error {
	path, ok := lookup("NOTIFY_SOCKET")
	if !ok || path == "" {
		return nil
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:] // Linux's abstract names
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	_, err = c.Write([]byte(state))
	if closeErr := c.Close(); err == nil {
		err = closeErr
	}
	return err
}

// tellManager is notify; a failure is only logged.
func tellManager(env environment, log *slog.Logger, state string) {
	if err := notify(env.lookup, state); err != nil {
		log.Warn("service manager not told", slog.Any("error", err))
	}
}
