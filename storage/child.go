package storage

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// What a process that has called Check exits with.
const (
	statusCrash   = 2 // Go's own, of a panic
	statusDamage  = 10
	statusInUse   = 11
	statusForeign = 12
	statusOther   = 13

	maxChildOutput = 64 << 10
	maxChildReason = 1000
)

// CheckStatus is the exit status by which a child process tells CheckInChild what Check said. The child also writes
// the error's text to its standard error.
func CheckStatus(err error) int {
	_, damaged := errors.AsType[*DamageError](err)
	switch {
	case err == nil:
		return 0
	case damaged:
		return statusDamage
	case errors.Is(err, ErrInUse):
		return statusInUse
	case errors.Is(err, ErrForeign):
		return statusForeign
	}
	return statusOther
}

// CheckInChild runs cmd, which must call Check for dir and exit with CheckStatus, and returns what Check said: nil, a
// *DamageError, an error that is ErrInUse or ErrForeign, or another. A child that crashes has met damage. One that was
// killed, by the end of its context or from outside, proves nothing and gives an error of no kind. It sets cmd's
// Stderr.
func CheckInChild(cmd *exec.Cmd, dir string) error {
	out := &headBuffer{}
	cmd.Stderr = out
	err := cmd.Run()
	if err == nil {
		return nil
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fmt.Errorf("check %s: %w", dir, err)
	}
	what := out.reason()
	switch {
	case exit.ExitCode() == statusDamage:
		return &DamageError{Path: dir, Key: "data", What: what}
	case exit.ExitCode() == statusInUse:
		return fmt.Errorf("%w: %s", ErrInUse, what)
	case exit.ExitCode() == statusForeign:
		return fmt.Errorf("%w: %s", ErrForeign, what)
	case exit.ExitCode() == statusOther:
		return fmt.Errorf("check %s: %s", dir, what)
	case crashed(exit, out.String()):
		return &DamageError{Path: dir, Key: "data", What: "the check crashed: " + what}
	}
	return fmt.Errorf("check %s: %w: %s", dir, err, what)
}

// crashed says whether the process died of what it read. A lack of memory is not that.
func crashed(exit *exec.ExitError, out string) bool {
	if st, ok := exit.Sys().(syscall.WaitStatus); ok && st.Signaled() {
		return st.Signal() == syscall.SIGSEGV || st.Signal() == syscall.SIGBUS || st.Signal() == syscall.SIGABRT
	}
	return exit.ExitCode() == statusCrash && (strings.Contains(out, "panic: ") || strings.Contains(out, "fatal error: ")) &&
		!strings.Contains(out, "out of memory")
}

// headBuffer keeps the beginning of what is written: there a crash says what it is about.
type headBuffer struct{ b []byte }

// Write implements io.Writer.
func (h *headBuffer) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), maxChildOutput-len(h.b))]...)
	return len(p), nil
}

func (h *headBuffer) String() string { return string(h.b) }

// reason is one line of it: that of a crash, else the last one.
func (h *headBuffer) reason() string {
	line := ""
	for l := range strings.Lines(h.String()) {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		line = l
		if strings.HasPrefix(l, "panic: ") || strings.HasPrefix(l, "fatal error: ") {
			break
		}
	}
	if len(line) > maxChildReason {
		line = line[:maxChildReason]
	}
	return strings.ToValidUTF8(line, "?")
}
