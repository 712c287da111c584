package syncer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
)

// canary begins the values that must be found nowhere but on the server.
const canary = "canary-"

// wantNoValue looks for values in all that a push gives to its user.
func (w *writing) wantNoValue(t *testing.T, report syncer.PushReport, err error) {
	t.Helper()
	var said bytes.Buffer
	for _, format := range []string{"text", "json"} {
		if err := report.Write(&said, format); err != nil {
			t.Error(err)
		}
	}
	fmt.Fprintf(&said, "%+v %v %s", report, err, w.log)
	if i := bytes.Index(said.Bytes(), []byte(canary)); i >= 0 {
		t.Errorf("a value is in %q", said.Bytes()[max(0, i-200):i+20])
	}
}

// inFront puts a server before the emulator and returns its URL. Requests that
// intercept answers itself, it keeps from the emulator; forward gets the emulator's
// answer.
func (w *writing) inFront(t *testing.T, intercept func(rw http.ResponseWriter, r *http.Request, forward func(http.ResponseWriter)) bool) string {
	t.Helper()
	target, err := url.Parse(w.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		forward := func(to http.ResponseWriter) { proxy.ServeHTTP(to, r) }
		if !intercept(rw, r, forward) {
			forward(rw)
		}
	}))
	t.Cleanup(front.Close)
	w.options = writeOptions(t, front.URL, w.log)
	return front.URL
}

// isBatch tells whether a request writes several secrets, in both sets of routes.
func isBatch(r *http.Request) bool { return strings.Contains(r.URL.Path, "/secrets/batch") }

// Whatever becomes of the answer to one write, each secret is written once.
func TestPushLostAnswers(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, action := range []infisicaltest.Action{
			infisicaltest.FaultStatus, infisicaltest.FaultHTML, infisicaltest.FaultHTML502, infisicaltest.FaultForeignJSON,
			infisicaltest.FaultReset, infisicaltest.FaultCutBody, infisicaltest.FaultFailAfter, infisicaltest.FaultResetAfter,
		} {
			for _, n := range []int{3, 300} {
				w := newWriting(t, profile)
				w.Set(devRoot, "NAME_0001", "old")
				w.Fault(infisicaltest.Fault{Do: action, Kind: infisicaltest.KindWrite, Skip: 1, Times: 1})
				report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(n, canary)})
				want := map[syncer.Outcome]int{syncer.OutcomeCreated: n - 1, syncer.OutcomeUpdated: 1}
				if got := tally(report.Secrets); !maps.Equal(got, want) {
					t.Errorf("%s, %d names: %v, want %v", action, n, got, want)
				}
				wantValues(t, w.Server, devRoot, plainValues(numbered(n, canary)))
				w.wantNoValue(t, report, nil)
				for name := range w.Values(devRoot) {
					secret, _ := w.Get(devRoot, name)
					if want := map[bool]int{true: 2, false: 1}[name == "NAME_0001"]; secret.Version != want {
						t.Errorf("%s, %d names: %s has version %d, want %d", action, n, name, secret.Version, want)
					}
				}
			}
		}
	})
}

// A server that always does what it then denies is believed when it lists it.
func TestPushAnswersAlwaysLost(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		defer w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultFailAfter, Kind: infisicaltest.KindWrite})()
		report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(300, canary)})
		if n := report.Written(); n != 300 || w.writes() != 3 {
			t.Errorf("wrote %d in %v", n, w.Counts())
		}
	})
}

// What keeps on failing ends the push, with few requests and the reason.
func TestPushFailures(t *testing.T) {
	type outcomes = map[syncer.Outcome]int
	for name, tt := range map[string]struct {
		fault infisicaltest.Fault
		code  source.Code
		want  outcomes
		most  int // writing requests
	}{
		"server error": {infisicaltest.Fault{Do: infisicaltest.FaultStatus}, source.CodeServerError,
			outcomes{syncer.OutcomeRefused: 8, syncer.OutcomeNotTried: 992}, 10},
		"no permission": {infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 403}, source.CodeAccessDenied,
			outcomes{syncer.OutcomeRefused: 8, syncer.OutcomeNotTried: 992}, 10},
		"refused": {infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 400, Message: "no"}, source.CodeRequestRefused,
			outcomes{syncer.OutcomeRefused: 8, syncer.OutcomeNotTried: 992}, 10},
		"rate limit": {infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 429, Message: "wait", Skip: 2}, source.CodeRateLimited,
			outcomes{syncer.OutcomeCreated: 200, syncer.OutcomeNotTried: 800}, 4},
		"token": {infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 401, Skip: 2}, source.CodeTokenRefused,
			outcomes{syncer.OutcomeCreated: 200, syncer.OutcomeNotTried: 800}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
				w := newWriting(t, profile)
				tt.fault.Kind = infisicaltest.KindWrite
				lift := w.Fault(tt.fault)
				report, err := w.push(t, syncer.PushOptions{Secrets: numbered(1000, canary)})
				if got := tally(report.Secrets); !maps.Equal(got, tt.want) || source.CodeOf(err) != tt.code {
					t.Errorf("%v, want %v; %v", got, tt.want, err)
				}
				if n := w.writes(); n > tt.most {
					t.Errorf("%d writing requests, want at most %d", n, tt.most)
				}
				w.wantNoValue(t, report, err)
				lift()
				w.mustPush(t, syncer.PushOptions{Secrets: numbered(1000, canary)})
				wantValues(t, w.Server, devRoot, plainValues(numbered(1000, canary)))
			})
		})
	}
}

// A server that is down in the midst of it leaves unknown what nobody can tell.
func TestPushServerGone(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultResetAfter, Kind: infisicaltest.KindBatch, Skip: 1})
	w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultReset, Kind: infisicaltest.KindList, Skip: 1})
	report, err := w.push(t, syncer.PushOptions{Secrets: numbered(300, canary)})
	want := map[syncer.Outcome]int{syncer.OutcomeCreated: 100, syncer.OutcomeUnknown: 100, syncer.OutcomeNotTried: 100}
	if got := tally(report.Secrets); !maps.Equal(got, want) || source.CodeOf(err) != source.CodeUnreachable {
		t.Errorf("%v, want %v; %v", got, want, err)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "200 of 300 secrets were not written: ") {
		t.Errorf("error %v", err)
	}
	w.wantNoValue(t, report, err)
}

// A limit that is reached once is waited for.
func TestPushRateLimit(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultStatus, Status: 429, Message: "wait", Kind: infisicaltest.KindWrite, Skip: 1, Times: 1})
		if report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(300, canary)}); report.Written() != 300 || w.writes() != 4 {
			t.Errorf("wrote %d in %v", report.Written(), w.Counts())
		}
	})
}

func TestPushApproval(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, n := range []int{2, 250} {
			w := newWriting(t, profile)
			if err := w.RequireApproval(devRoot, true); err != nil {
				t.Fatal(err)
			}
			report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(n, canary)})
			if got := tally(report.Secrets)[syncer.OutcomeAwaiting]; got != n || report.Written() != 0 || len(w.Values(devRoot)) != 0 {
				t.Errorf("%v", tally(report.Secrets))
			}
			if most := max(2, n/100+1); w.writes() > most {
				t.Errorf("%d writing requests, want at most %d", w.writes(), most)
			}
		}
	})
}

// Of a batch that is refused for some of its names the others are written.
func TestPushSomeRefused(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile, func(seed *infisicaltest.Seed) {
			seed.Identities[0].Deny = []source.Place{{Environment: "prod"}}
			seed.Folders = []infisicaltest.Folder{{Environment: "prod", Secrets: []infisicaltest.Secret{{Name: "P", Value: "p"}}}}
		})
		w.Set(devRoot, "NAME_0070", "old")
		want := plainValues(numbered(250, canary))
		bad := pushed("NAME_0007", "${prod.P}", "NAME_0070", "${prod.P} too", "NAME_0231", canary+"${prod.P}")
		secrets := numbered(250, canary).All()
		all := []source.Secret{}
		for s := range secrets {
			all = append(all, s)
		}
		for s := range bad.All() {
			all = append(all, s)
			delete(want, s.Name)
		}
		want["NAME_0070"] = "old"
		report, err := w.push(t, syncer.PushOptions{Secrets: source.NewSet(all...)})
		if got := tally(report.Secrets); got[syncer.OutcomeRefused] != 3 || got[syncer.OutcomeCreated] != 247 {
			t.Errorf("outcomes %v", got)
		}
		for _, r := range report.Secrets {
			_, isBad := bad.Get(r.Name)
			if isBad != (r.Outcome == syncer.OutcomeRefused) || isBad && (r.Code != source.CodeAccessDenied || !strings.Contains(r.Reason, "403")) {
				t.Errorf("%+v", r)
			}
		}
		if source.CodeOf(err) != source.CodeAccessDenied || !strings.Contains(err.Error(), `3 of 250 secrets in`) || !strings.Contains(err.Error(), `the first of them "NAME_0007": `) {
			t.Errorf("error %v", err)
		}
		wantValues(t, w.Server, devRoot, want)
		w.wantNoValue(t, report, err)
	})
}

// With something wrong in every batch, what is right in them is written all the same.
func TestPushRefusedInEachBatch(t *testing.T) {
	w := newWriting(t, infisicaltest.Current, func(seed *infisicaltest.Seed) {
		seed.Identities[0].Deny = []source.Place{{Environment: "prod"}}
		seed.Folders = []infisicaltest.Folder{{Environment: "prod", Secrets: []infisicaltest.Secret{{Name: "P", Value: "p"}}}}
	})
	var secrets []source.Secret
	for s := range numbered(2000, canary).All() {
		if len(secrets)%90 == 0 {
			s.Value = source.NewValue("${prod.P}")
		}
		secrets = append(secrets, s)
	}
	report, err := w.push(t, syncer.PushOptions{Secrets: source.NewSet(secrets...)})
	if got := tally(report.Secrets); got[syncer.OutcomeRefused] != 23 || got[syncer.OutcomeCreated] != 1977 || source.CodeOf(err) != source.CodeAccessDenied {
		t.Errorf("%v; %v", got, err)
	}
	t.Logf("%d writing requests", w.writes())
}

// answerError answers with an error of the API.
func answerError(rw http.ResponseWriter, status int, name, message string) bool {
	text, _ := json.Marshal(map[string]any{"statusCode": status, "error": name, "reqId": "req-1", "message": message})
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	rw.Write(text)
	return true
}

// An identity that may create and not change creates, and is soon told of the rest.
func TestPushMayOnlyCreate(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	if err := w.SetAll(devRoot, plainValues(numbered(500, "old"))); err != nil {
		t.Fatal(err)
	}
	denied := 0
	w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		denied++
		return answerError(rw, 403, "PermissionDenied", "You are not allowed to edit on secrets")
	})
	report, err := w.push(t, syncer.PushOptions{Secrets: numbered(1000, canary)})
	want := map[syncer.Outcome]int{syncer.OutcomeCreated: 500, syncer.OutcomeRefused: 8, syncer.OutcomeNotTried: 492}
	if got := tally(report.Secrets); !maps.Equal(got, want) || source.CodeOf(err) != source.CodeAccessDenied {
		t.Errorf("%v, want %v; %v", got, want, err)
	}
	if denied > 12 {
		t.Errorf("asked %d times for what is not allowed", denied)
	}
	w.wantNoValue(t, report, err)
}

// A server that says a name is taken, and does not list it, does not keep the push
// going for ever.
func TestPushContradiction(t *testing.T) {
	for _, n := range []int{3, 30} {
		w := newWriting(t, infisicaltest.Legacy)
		asked := 0
		w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
			if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/secrets/") {
				return false
			}
			asked++
			return answerError(rw, 400, "BadRequest", "Secret already exist")
		})
		report, err := w.push(t, syncer.PushOptions{Secrets: numbered(n, canary)})
		got := tally(report.Secrets)
		if got[syncer.OutcomeRefused]+got[syncer.OutcomeNotTried] != n || source.CodeOf(err) != source.CodeRequestRefused && source.CodeOf(err) != source.CodeSecretNotFound {
			t.Errorf("%v; %v", got, err)
		}
		if asked > 60 {
			t.Errorf("asked %d times", asked)
		}
	}
}

// One answer tells of a project's upper-case rule, and settles every name it holds
// for; a secret that is there keeps its name.
func TestPushUpperCase(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile, func(seed *infisicaltest.Seed) { seed.Projects[0].UpperCase = true })
		w.Set(devRoot, "older", "old")
		var pairs []string
		for i := range 50 {
			pairs = append(pairs, fmt.Sprint("UPPER_", i), "v", fmt.Sprint("lower_", i), "v")
		}
		report, err := w.push(t, syncer.PushOptions{Secrets: pushed(append(pairs, "older", "new")...)})
		got := tally(report.Secrets)
		if got[syncer.OutcomeRefused] != 50 || got[syncer.OutcomeCreated] != 50 || got[syncer.OutcomeUpdated] != 1 {
			t.Errorf("outcomes %v", got)
		}
		if source.CodeOf(err) != source.CodeNameInvalid || !strings.Contains(err.Error(), "must be in UPPERCASE") || w.writes() > 4 {
			t.Errorf("%v; %v", w.Counts(), err)
		}
		if secret, _ := w.Get(devRoot, "older"); secret.Value != "new" {
			t.Error("a secret with an old name was not updated")
		}
	})
}

// Others who write at the same time are noticed.
func TestPushRaces(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, n := range []int{4, 40} {
			w := newWriting(t, profile)
			w.Set(devRoot, "NAME_0002", "old")
			w.Set(devRoot, "NAME_0003", "old")
			meanwhile := false
			w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
				if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "login") && !meanwhile {
					meanwhile = true
					w.Set(devRoot, "NAME_0000", canary+"0")
					w.Set(devRoot, "NAME_0001", "other")
					w.Delete(devRoot, "NAME_0002")
				}
				return false
			})
			report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(n, canary)})
			wantValues(t, w.Server, devRoot, plainValues(numbered(n, canary)))
			w.wantNoValue(t, report, nil)
			if n := tally(report.Secrets)[syncer.OutcomeRefused]; n > 0 || !meanwhile {
				t.Errorf("%d refused: %s", n, outcomes(report.Secrets))
			}
		}
	})
}

// The first servers with these routes did not know how to upsert, and dropped the
// key that they did not know.
func TestPushWithoutUpsert(t *testing.T) {
	w := newWriting(t, infisicaltest.V42025)
	w.Set(devRoot, "NAME_0001", "old")
	w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
		if isBatch(r) && r.Method == http.MethodPatch {
			var body map[string]any
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			delete(body, "mode")
			text, _ := json.Marshal(body)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		}
		return false
	})
	report := w.mustPush(t, syncer.PushOptions{Secrets: numbered(250, canary)})
	wantValues(t, w.Server, devRoot, plainValues(numbered(250, canary)))
	if got := tally(report.Secrets); got[syncer.OutcomeCreated] != 249 || w.Count(infisicaltest.KindBatch) != 4 {
		t.Errorf("%v; %v", got, w.Counts())
	}
}

// A server drops the update of a secret that it rotates, and says nothing.
func TestPushDroppedUpdate(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	for s := range numbered(10, "old").All() {
		w.Set(devRoot, s.Name, s.Value.Reveal())
	}
	w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
		if !isBatch(r) {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		io.WriteString(rw, `{"secrets":[{"secretKey":"NAME_0000","version":2}]}`)
		w.Set(devRoot, "NAME_0001", canary+"1")
		return true
	})
	report, err := w.push(t, syncer.PushOptions{Secrets: numbered(10, canary)})
	if got := tally(report.Secrets); got[syncer.OutcomeUpdated] != 1 || got[syncer.OutcomeRefused] != 9 {
		t.Errorf("outcomes %v", got)
	}
	if source.CodeOf(err) != source.CodeRequestRefused || !strings.Contains(err.Error(), "the server kept the old value, as it does with a secret that it rotates") {
		t.Errorf("error %v", err)
	}
	w.wantNoValue(t, report, err)
}

// A server that quotes what it does not like is not passed on.
func TestPushQuotedValues(t *testing.T) {
	for _, n := range []int{3, 30} {
		w := newWriting(t, infisicaltest.Current)
		w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if r.Method == http.MethodGet || !bytes.Contains(body, []byte(canary)) {
				return false
			}
			return answerError(rw, 400, "BadRequest", "scanned: "+string(body))
		})
		report, err := w.push(t, syncer.PushOptions{Secrets: numbered(n, canary)})
		if report.Written() != 0 || source.CodeOf(err) != source.CodeRequestRefused || !strings.Contains(err.Error(), "scanned") {
			t.Errorf("%v", err)
		}
		w.wantNoValue(t, report, err)
	}
}

// One secret that makes the server fail does not keep the others from it.
func TestPushPoison(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.inFront(t, func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) bool {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if strings.Contains(string(body), `"poison"`) {
				rw.WriteHeader(http.StatusRequestEntityTooLarge)
				return true
			}
			return false
		})
		all := plainValues(numbered(120, canary))
		secrets := []source.Secret{{Name: "BAD", Value: source.NewValue("poison")}}
		for s := range numbered(120, canary).All() {
			secrets = append(secrets, s)
		}
		report, err := w.push(t, syncer.PushOptions{Secrets: source.NewSet(secrets...)})
		wantValues(t, w.Server, devRoot, all)
		if got := tally(report.Secrets); got[syncer.OutcomeRefused] != 1 || got[syncer.OutcomeCreated] != 120 {
			t.Errorf("outcomes %v; %v", got, err)
		}
		if r := report.Secrets[0]; r.Name != "BAD" || r.Code != source.CodeNotTheAPI || !strings.Contains(r.Reason, "server answered 413") || strings.Contains(r.Reason, "may have") {
			t.Errorf("%+v", r)
		}
	})
}
