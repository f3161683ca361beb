package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strconv"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
)

// maxMint bounds the virtual fans of one call.
const maxMint = 10_000

// mintFans makes accounts and sessions for virtual fans of a rehearsal, so that a load test need not hash.
func (s *Server) mintFans(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Count uint32 `json:"count"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	if in.Count == 0 || in.Count > maxMint {
		return answer{}, invalid(r.lang, "/count", "range", "1 to "+strconv.Itoa(maxMint))
	}
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return answer{}, err
	}
	seed := newSeed()
	if key != "" { // the same request once more makes the same tokens again
		seed = [32]byte(s.digest("fans", strconv.FormatUint(uint64(r.person.Account), 10), r.URL.Path, key))
	}
	minted, err := s.mint(ctx, r.person.Account, v.Event, in.Count, seed, [16]byte(s.digest("body", string(r.raw))))
	if err != nil {
		return answer{}, s.refused(err, r.lang)
	}
	return answer{status: http.StatusCreated, body: map[string]any{"fans": minted}}, nil
}

// Fan is a virtual fan with a session.
type Fan struct {
	Account string `json:"account"`
	Token   string `json:"token"`
}

// MintFans makes virtual fans; the event must be a rehearsal. Actor 0 is the house itself.
func (s *Server) MintFans(ctx context.Context, actor account.ID, id sale.EventID, count uint32) ([]Fan, error) {
	return s.mint(ctx, actor, id, count, newSeed(), [16]byte{1})
}

func newSeed() (seed [32]byte) {
	_, _ = rand.Read(seed[:]) // never fails
	return seed
}

// mintAtOnce fans come with one command, so that other commands get between them.
const mintAtOnce = 1000

// mint makes the fans of a seed. The time of expiry differs when a request is repeated, so body says whether it is
// the same one.
func (s *Server) mint(ctx context.Context, actor account.ID, id sale.EventID, count uint32, seed [32]byte, body [16]byte) ([]Fan, error) {
	var minted []Fan
	for n := uint32(len(minted)); n < count; n = uint32(len(minted)) {
		cmd := &account.Command{
			Op: account.OpMintFans, Actor: actor, Event: account.EventID(id), Count: min(count-n, mintAtOnce),
			Lang: "pt-BR", Expires: s.o.Now().Add(24 * time.Hour).UnixMilli(), Body: body,
			Seed: sha256.Sum256(binary.BigEndian.AppendUint32(seed[:], n)),
		}
		key := sha256.Sum256(append([]byte("mint"), cmd.Seed[:]...))
		copy(cmd.Key[:], key[:])
		res, err := s.o.Directory.Submit(ctx, cmd)
		if err != nil {
			return nil, err
		}
		if err := s.accountRefusal(res.Refusal, ""); err != nil {
			return nil, err
		}
		for i := range cmd.Count {
			token := account.FanToken(cmd.Seed, i)
			minted = append(minted, Fan{
				Account: strconv.FormatUint(uint64(res.Account)+uint64(i), 10), Token: directory.EncodeToken(token[:]),
			})
		}
	}
	return minted, nil
}
