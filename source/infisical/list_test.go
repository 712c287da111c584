package infisical_test

import (
	"net/http"
	"testing"

	"infisync/source/infisical"
)

func TestListV4(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{
		listRoute: answer(200, `{"secrets":[{"secretKey":"A","secretValue":"1","version":3,"updatedAt":"2026-01-02T03:04:05.678Z"}],"imports":null}`),
	})
	got, err := login(t, newClient(t, s.URL)).List(t.Context(), infisical.Query{Place: place, Imports: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Listing.Own) != 1 || got.Listing.Own[0].Value.Reveal() != "1" {
		t.Errorf("got %+v", got)
	}
}
