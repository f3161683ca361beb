package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/transport/wire"
)

// houseKey marks the requests of the house in their context.
type houseKey struct{}

// House answers the same API, for the operator address: requests whose bearer equals the token act as the house
// itself, an owner with account 0, who makes the first administrator. All others are answered as usual. An empty token
// opens nothing. The house is no fan: what fans do, it may not.
func (s *Server) House(token string) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, cookie := s.token(r)
		got := sha256.Sum256([]byte(given))
		if token != "" && !cookie && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			r = r.WithContext(context.WithValue(r.Context(), houseKey{}, true))
		}
		s.ServeHTTP(w, r)
	})
}

func isHouse(r *http.Request) bool { return r.Context().Value(houseKey{}) != nil }

// admitHouse lets the house do what staff may.
func (s *Server) admitHouse(r *request, who access) error {
	r.person = directory.Person{Role: account.RoleOwner}
	if !who.anyone && who.least == account.RoleFan {
		return s.problem(wire.Forbidden, r.lang)
	}
	return nil
}
