package infisical_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
)

func item(name, value string) infisical.Item {
	return infisical.Item{Name: name, Value: source.NewValue(value)}
}

func TestEmulatorWrites(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, client := emulate(t, profile)
		session := login(t, client)
		at := devPlace("/")
		// The last three fit no route for a single secret.
		for _, name := range []string{"PLAIN", "a b", "ü?#%&", "constructor2", "batch", "..", strings.Repeat("LONG", 30)} {
			t.Run(fmt.Sprintf("%.10s", name), func(t *testing.T) {
				want := func(result infisical.Result, err error, version int, value string) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
					if result.Approval != nil || result.Versions[name] != version || len(result.Versions) != 1 {
						t.Errorf("result %+v, want version %d", result, version)
					}
					got, _ := s.Get(at, name)
					if got.Value != value {
						t.Errorf("the server holds %q, want %q", got.Value, value)
					}
				}
				result, err := session.Create(t.Context(), at, item(name, " one\n\n"))
				want(result, err, 1, "one\n")
				_, err = session.Create(t.Context(), at, item(name, "other"))
				if !errors.Is(err, infisical.ErrExists) {
					t.Errorf("created twice: %v", err)
				}
				wantCode(t, err, source.CodeRequestRefused)
				result, err = session.Update(t.Context(), at, item(name, "two"))
				want(result, err, 2, "two")
				if got, err := session.Get(t.Context(), at, name, false); err != nil || got.Value.Reveal() != "two" || got.Version != 2 {
					t.Errorf("Get() = %+v, %v", got, err)
				}
				result, err = session.Delete(t.Context(), at, name)
				want(result, err, result.Versions[name], "")
				if _, there := s.Get(at, name); there {
					t.Error("it is still there")
				}
				_, err = session.Delete(t.Context(), at, name)
				wantCode(t, err, source.CodeSecretNotFound)
				_, err = session.Update(t.Context(), at, item(name, "x"))
				wantCode(t, err, source.CodeSecretNotFound)
			})
		}
	})
}

func TestEmulatorBatches(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, client := emulate(t, profile)
		session := login(t, client)
		at := devPlace("/")
		ctx := t.Context()
		result, err := session.CreateAll(ctx, at, []infisical.Item{item("A", "1"), item("B", "")})
		if err != nil || result.Versions["A"] != 1 || result.Versions["B"] != 1 {
			t.Fatalf("CreateAll() = %+v, %v", result, err)
		}
		_, err = session.CreateAll(ctx, at, []infisical.Item{item("B", "x"), item("C", "3")})
		if !errors.Is(err, infisical.ErrExists) || len(s.Values(at)) != 2 {
			t.Errorf("CreateAll with a name that is taken: %v; %d secrets", err, len(s.Values(at)))
		}
		result, err = session.UpdateAll(ctx, at, []infisical.Item{item("A", "11"), item("B", "22")}, infisical.FailOnMissing)
		if err != nil || result.Versions["B"] != 2 {
			t.Errorf("UpdateAll() = %+v, %v", result, err)
		}
		_, err = session.UpdateAll(ctx, at, []infisical.Item{item("A", "x"), item("C", "3")}, infisical.FailOnMissing)
		wantCode(t, err, source.CodeSecretNotFound)

		result, err = session.UpdateAll(ctx, at, []infisical.Item{item("A", "111"), item("C", "3")}, infisical.Upsert)
		if profile == infisicaltest.Legacy { // it knows no modes
			wantCode(t, err, source.CodeSecretNotFound)
			session.CreateAll(ctx, at, []infisical.Item{item("C", "3")})
			session.Update(ctx, at, item("A", "111"))
		} else if err != nil || result.Versions["C"] != 1 || result.Versions["A"] != 3 {
			t.Errorf("UpdateAll(Upsert) = %+v, %v", result, err)
		}
		if got, want := fmt.Sprint(s.Values(at)), "map[A:111 B:22 C:3]"; got != want {
			t.Errorf("the server holds %s, want %s", got, want)
		}
		_, err = session.DeleteAll(ctx, at, []string{"A", "Z"})
		wantCode(t, err, source.CodeSecretNotFound)
		if _, err = session.DeleteAll(ctx, at, []string{"A", "C"}); err != nil || len(s.Values(at)) != 1 {
			t.Errorf("DeleteAll: %v; %v", err, s.Values(at))
		}
	})
}

func TestEmulatorFolders(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		_, client := emulate(t, profile)
		session := login(t, client)
		at := devPlace("/a/b")
		_, err := session.Create(t.Context(), at, item("A", "1"))
		wantCode(t, err, source.CodePlaceNotFound)
		for range 2 {
			if err := session.CreateFolder(t.Context(), at); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := session.Create(t.Context(), at, item("A", "1")); err != nil {
			t.Error(err)
		}
		err = session.CreateFolder(t.Context(), source.Place{Project: at.Project, Environment: "dve", Path: "/a"})
		wantCode(t, err, source.CodePlaceNotFound)
		if err := session.CreateFolder(t.Context(), devPlace("/")); err != nil {
			t.Errorf("the root is always there: %v", err)
		}
	})
}

func TestEmulatorApproval(t *testing.T) {
	inProfiles(t, func(t *testing.T, profile infisicaltest.Profile) {
		s, client := emulate(t, profile)
		at := devPlace("/")
		if err := s.RequireApproval(at, true); err != nil {
			t.Fatal(err)
		}
		session := login(t, client)
		result, err := session.Create(t.Context(), at, item("A", "1"))
		if err != nil || result.Approval == nil || result.Approval.ID == "" || result.Versions != nil {
			t.Errorf("Create() = %+v, %v", result, err)
		}
		result, err = session.CreateAll(t.Context(), at, []infisical.Item{item("A", "1")})
		if err != nil || result.Approval == nil || len(s.Values(at)) != 0 {
			t.Errorf("CreateAll() = %+v, %v", result, err)
		}
	})
}

// A write whose answer is lost is not sent again by itself: it may have been done.
func TestEmulatorUnknownOutcome(t *testing.T) {
	for action, want := range map[infisicaltest.Action]source.Code{
		infisicaltest.FaultFailAfter:  source.CodeServerError,
		infisicaltest.FaultResetAfter: source.CodeUnreachable,
		infisicaltest.FaultCutBody:    source.CodeNotTheAPI,
		infisicaltest.FaultReset:      source.CodeUnreachable,
		infisicaltest.FaultHTML502:    source.CodeServerError,
		infisicaltest.FaultHTML:       source.CodeNotTheAPI,
		infisicaltest.FaultStallBody:  source.CodeTimeout,
	} {
		t.Run(string(action), func(t *testing.T) {
			s, client := emulate(t, infisicaltest.Current)
			policy := quick()
			if want == source.CodeTimeout {
				policy.Answer = 500 * time.Millisecond // within which the request must be on its way
			}
			session := login(t, client).With(policy)
			lift := s.Fault(infisicaltest.Fault{Do: action, Kind: infisicaltest.KindCreate})
			_, err := session.Create(t.Context(), devPlace("/"), item("A", "1"))
			lift()
			wantCode(t, err, want)
			if _, ok := errors.AsType[*infisical.UnknownOutcome](err); !ok {
				t.Errorf("error %v is no UnknownOutcome", err)
			}
			wantText(t, err, "; it may have taken effect")
			if n := s.Count(infisicaltest.KindCreate); n > 1 {
				t.Errorf("it was sent %d times", n)
			}
		})
	}
}

// A write that surely was not done is sent again as any other request.
func TestWriteRetries(t *testing.T) {
	for name, tt := range map[string]struct {
		first http.HandlerFunc
		want  int
	}{
		"rate limit":         {refuse(429, "RateLimitError", "x"), 2},
		"rate limit as 500":  {limited("1"), 2},
		"lost":               {reset, 1},
		"redirect elsewhere": {redirectTo("http://127.0.0.1:1/"), 1},
		"conflict":           {refuse(409, "Conflict", "x"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			const route = "POST /api/v4/secrets/A"
			tries := 0
			s := newServer(t, map[string]http.HandlerFunc{route: func(w http.ResponseWriter, r *http.Request) {
				if tries++; tries == 1 {
					tt.first(w, r)
					return
				}
				writeJSON(w, 201, `{"secret":{"secretKey":"A","version":1}}`)
			}})
			_, err := login(t, newClient(t, s.URL)).Create(t.Context(), place, item("A", "1"))
			if tries != tt.want || (err == nil) != (tt.want == 2) {
				t.Errorf("sent %d times, want %d; error %v", tries, tt.want, err)
			}
			if _, unknown := errors.AsType[*infisical.UnknownOutcome](err); unknown != (name == "lost") {
				t.Errorf("outcome unknown: %v; error %v", unknown, err)
			}
			if name == "conflict" && !errors.Is(err, infisical.ErrExists) {
				t.Errorf("error %v is not ErrExists", err)
			}
		})
	}
	s := newServer(t, nil)
	client := newClient(t, s.URL)
	session := login(t, client)
	client.Close()
	s.Close()
	_, err := session.Create(t.Context(), place, item("A", "1"))
	wantCode(t, err, source.CodeUnreachable)
	if _, unknown := errors.AsType[*infisical.UnknownOutcome](err); unknown {
		t.Errorf("nothing was sent, and yet: %v", err)
	}
}

// A write is sent again after a new login, since a refused token did nothing, and
// its body goes with it.
func TestWriteBodies(t *testing.T) {
	var got []string
	record := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m map[string]any
		json.Unmarshal(body, &m)
		keys := make([]string, 0, len(m))
		for k, v := range m {
			keys = append(keys, fmt.Sprintf("%s=%v", k, v))
		}
		slices.Sort(keys)
		got = append(got, r.Method+" "+r.URL.RequestURI()+" "+strings.Join(keys, " "))
		if len(got) == 1 {
			revoked(w, r)
			return
		}
		writeJSON(w, 200, `{"secret":{"secretKey":"A","version":1}}`)
	}
	s := newServer(t, map[string]http.HandlerFunc{
		"POST /api/v4/secrets/A": record, "PATCH /api/v4/secrets/A": record, "DELETE /api/v4/secrets/A": record,
		"POST /api/v3/secrets/raw/A": record,
	})
	session := login(t, newClient(t, s.URL))
	old := login(t, newClient(t, s.URL, func(c *infisical.Config) { c.Legacy = true }))
	at := source.Place{Project: "p1", Environment: "dev", Path: "x/"}
	for _, do := range []func() error{
		func() error { _, err := session.Create(t.Context(), at, item("A", "1")); return err },
		func() error { _, err := session.Update(t.Context(), at, item("A", "2")); return err },
		func() error { _, err := session.Delete(t.Context(), at, "A"); return err },
		func() error { _, err := old.Create(t.Context(), at, item("A", "1")); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	const created = "environment=dev projectId=p1 secretPath=/x secretValue=1 type=shared"
	want := []string{
		"POST /api/v4/secrets/A " + created, "POST /api/v4/secrets/A " + created,
		"PATCH /api/v4/secrets/A environment=dev projectId=p1 secretPath=/x secretValue=2 type=shared",
		"DELETE /api/v4/secrets/A?environment=dev&projectId=p1&secretPath=%2Fx&type=shared environment=dev projectId=p1 secretPath=/x type=shared",
		"POST /api/v3/secrets/raw/A environment=dev secretPath=/x secretValue=1 type=shared workspaceId=p1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a server answers to a write, and what must not be believed.
func TestWriteAnswers(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"secret":{"secretKey":"A","version":2,"secretValue":""}}`: true,
		`{"approval":{"id":"1","slug":"s","status":"open"}}`:        true,
		`{"secret":{"secretKey":"A","version":2},"approval":null}`:  true,
		`{"secrets":[{"secretKey":"A","version":2}]}`:               false,
		`{"approval":{}}`: false,
		`{"secret":null}`: false,
		`{"secret":{}}`:   false,
		`{}`:              false,
		`{"secret":{"secretKey":"A","version":"two"}}`: false,
	} {
		s := newServer(t, map[string]http.HandlerFunc{"PATCH /api/v4/secrets/A": answer(200, body)})
		_, err := login(t, newClient(t, s.URL)).Update(t.Context(), place, item("A", "1"))
		if (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
		if _, unknown := errors.AsType[*infisical.UnknownOutcome](err); !ok && !unknown {
			t.Errorf("%s: %v is no UnknownOutcome", body, err)
		}
	}
}

// What would be changed on the way, or refused, is not sent.
func TestWriteChecks(t *testing.T) {
	s := newServer(t, nil)
	session := login(t, newClient(t, s.URL))
	ctx := context.WithoutCancel(t.Context())
	for name, do := range map[string]func() error{
		"value not UTF-8": func() error { _, err := session.Update(ctx, place, item("A", "canary\xff")); return err },
		"batch not UTF-8": func() error {
			_, err := session.UpdateAll(ctx, place, []infisical.Item{item("A", "canary\xff")}, infisical.Upsert)
			return err
		},
		"value too long": func() error {
			_, err := session.Create(ctx, place, item("A", strings.Repeat("canary", 200_000)))
			return err
		},
		"colon":         func() error { _, err := session.Create(ctx, place, item("A:B", "1")); return err },
		"slash":         func() error { _, err := session.Create(ctx, place, item("A/B", "1")); return err },
		"space around":  func() error { _, err := session.Create(ctx, place, item(" A", "1")); return err },
		"empty":         func() error { _, err := session.Create(ctx, place, item("", "1")); return err },
		"NUL":           func() error { _, err := session.Create(ctx, place, item("A\x00", "1")); return err },
		"name no UTF-8": func() error { _, err := session.Create(ctx, place, item("A\xff", "1")); return err },
		"twice": func() error {
			_, err := session.CreateAll(ctx, place, []infisical.Item{item("A", "1"), item("A", "2")})
			return err
		},
		"upsert of a bad name": func() error {
			_, err := session.UpdateAll(ctx, place, []infisical.Item{item("A:B", "1")}, infisical.Upsert)
			return err
		},
	} {
		err := do()
		if source.CodeOf(err) != source.CodeRequestRefused || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if result, err := session.CreateAll(ctx, place, nil); err != nil || result.Versions != nil {
		t.Errorf("nothing to do: %+v, %v", result, err)
	}
	if n := len(s.requests); n != 1 { // the login
		t.Errorf("%d requests", n)
	}
}

func TestChunks(t *testing.T) {
	var items []infisical.Item
	for i := range 250 {
		items = append(items, item(fmt.Sprint("N", i), "v"))
	}
	big := strings.Repeat("\x01", 100<<10) // six bytes each in JSON
	items = append(items, item("BIG1", big), item("BIG2", big), item("HUGE", strings.Repeat("x", 2<<20)), item("LAST", ""))
	var sizes []int
	var joined []infisical.Item
	for _, chunk := range infisical.Chunks(items) {
		sizes = append(sizes, len(chunk))
		joined = append(joined, chunk...)
	}
	if got, want := fmt.Sprint(sizes), "[100 100 51 1 1 1]"; got != want {
		t.Errorf("chunks of %s, want %s", got, want)
	}
	if !slices.Equal(joined, items) {
		t.Error("the chunks are not the items in their order")
	}
	if infisical.Chunks(nil) != nil {
		t.Error("no items make a chunk")
	}
}

func TestNormalize(t *testing.T) {
	// As servers were seen to keep them.
	for in, want := range map[string]string{
		"": "", " a ": "a", "a\n\n": "a\n", "\n": "\n", "  \n": "\n", "   ": "", "x\r\n": "x\n", "\nline": "line",
		"line \n": "line\n", "x\t": "x", "x\u00a0": "x", "\ufeffx": "x", "x\u2028": "x", "x\u2029": "x", "\u3000x": "x",
		"\u200bx": "\u200bx", "\u0085x": "\u0085x", "x\u180e": "x\u180e", "a\r\nb": "a\r\nb", "a\x00b": "a\x00b",
		"-----BEGIN-----\r\nMIIB\r\n-----END-----\r\n": "-----BEGIN-----\r\nMIIB\r\n-----END-----\n",
	} {
		got := infisical.Normalize(source.NewValue(in))
		if got.Reveal() != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got.Reveal(), want)
		}
		if again := infisical.Normalize(got); !again.Equal(got) {
			t.Errorf("Normalize(%q) is not stable: %q", in, again.Reveal())
		}
	}
}
