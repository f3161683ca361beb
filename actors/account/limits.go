package account

// Bounds of the machine. A command that would pass one is refused with [RefusedFull] unless it says otherwise.
const (
	MaxAccounts           = 4 << 20
	MaxSessions           = 4 << 20
	MaxSessionsPerAccount = 16 // opening one more revokes the oldest
	MaxEvents             = 4096
	MaxKeys               = 64
	MaxAudit              = 16_384 // entries kept; older ones stay in the chain through [State.AuditBase]
	MaxShards             = 1024

	MaxMint         = 10_000 // virtual fans in one command
	MaxMintPerBatch = 20_000 // in one entry; more are refused with [RefusedBusy]

	MaxEmail     = 254 // bytes
	MaxName      = 200
	MaxHash      = 200
	MaxSlug      = 64
	MaxSummary   = 64 << 10
	MaxPublicKey = 4096
	MaxAction    = 64
	MaxTarget    = 200
	MaxReason    = 500
	MaxDetail    = 2048
)

// Durations in milliseconds of log time.
const (
	MaxSessionLife = 400 * 24 * 3600 * 1000
	sweepEvery     = 60_000
	keyLife        = 15 * 60_000
	maxTime        = 253_402_300_799_999 // the end of the year 9999; later stamps count as this
)

const (
	sweepAtOnce  = 20_000  // expired sessions removed in one batch
	forgetAtOnce = 4096    // results forgotten in one batch
	maxKnownKeys = 1 << 20 // keys remembered; the oldest goes first
)
