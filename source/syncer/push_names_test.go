package syncer_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"infisync/source"
	"infisync/source/infisical"
	"infisync/source/infisical/infisicaltest"
	"infisync/source/syncer"
)

// 200 generated names and values come back as they were pushed; a value that does
// not is reported as trimmed, and only such.
func TestPushRoundTrip(t *testing.T) {
	const spaces = " \t\n\r\v\f\u00a0\u2028\ufeff\u3000\u0085\u200b"
	const letters = "abcXYZ019_-.=$\"'`\\{}<>&%#?*ü漢🔑\x01\x7f"
	random := rand.New(rand.NewPCG(7, 11))
	text := func(from string, most int) string {
		runes, out := []rune(from), make([]rune, random.IntN(most+1))
		for i := range out {
			out[i] = runes[random.IntN(len(runes))]
		}
		return string(out)
	}
	var secrets []source.Secret
	add := func(name string) {
		value := text(spaces, 2) + text(letters+spaces, []int{5, 60, 3000}[random.IntN(3)]) + text(spaces, 2)
		secrets = append(secrets, source.Secret{Name: name, Value: source.NewValue(value)})
	}
	for _, name := range []string{"batch", "move", "backfill-secret-references", ".", "..", "FOO=BAR", strings.Repeat("L", 300)} {
		add(name)
	}
	for len(secrets) < 200 {
		// Not white space at the ends, which names may not have.
		add("n" + text(letters+" \t", []int{8, 40, 120}[random.IntN(3)]) + "n")
	}
	set := source.NewSet(secrets...)
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		for _, size := range []int{4, set.Len()} { // one by one, and all at once
			w := newWriting(t, profile)
			trimmed := 0
			for part := range slices.Chunk(slices.Collect(set.All()), size) {
				for _, r := range w.mustPush(t, syncer.PushOptions{Secrets: source.NewSet(part...)}).Secrets {
					if r.Outcome != syncer.OutcomeCreated {
						t.Errorf("%q is %s", r.Name, r.Outcome)
					}
					given, _ := set.Get(r.Name)
					held, _ := w.Get(devRoot, r.Name)
					if same := held.Value == given.Value.Reveal(); same == r.Trimmed {
						t.Errorf("%q: as given %v, said to be trimmed %v", r.Name, same, r.Trimmed)
					}
					if want := infisical.Normalize(given.Value).Reveal(); held.Value != want {
						t.Errorf("the server holds %q under %q, want %q", held.Value, r.Name, want)
					}
					if r.Trimmed {
						trimmed++
					}
				}
			}
			if n := len(w.Values(devRoot)); n != set.Len() || trimmed == 0 || trimmed == n {
				t.Errorf("the server holds %d secrets, %d of them trimmed", n, trimmed)
			}
			report := w.mustPush(t, syncer.PushOptions{Secrets: set})
			if w.writes() != 0 || tally(report.Secrets)[syncer.OutcomeUnchanged] != set.Len() {
				t.Errorf("pushed again: %v; %v", tally(report.Secrets), w.Counts())
			}
		}
	})
}

// Two names break a server of 2024 after it has stored them.
func TestPushNamesOfJavaScript(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		report := w.mustPush(t, syncer.PushOptions{Secrets: pushed("__proto__", "1", "constructor", "2")})
		wantOutcomes(t, report.Secrets, "__proto__=created constructor=created")
		wantValues(t, w.Server, devRoot, map[string]string{"__proto__": "1", "constructor": "2"})
	})
}

// What the server would refuse or change is refused here, with the reason.
func TestPushRefusedHere(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	names := map[string]string{
		"A:B": "contains a colon or a slash", "A/B": "contains a colon or a slash", " A": "begins or ends with white space",
		"": "is empty", "\ufeff": "is empty", "A\x00": "contains a NUL byte", "A\xff": "is not UTF-8",
	}
	var pairs []string
	for name := range names {
		pairs = append(pairs, name, "v")
	}
	set := pushed(append(pairs, "MASKED", " <hidden-by-infisical>\n", "BYTES", canary+"\xff", "GOOD", "v")...)
	report, err := w.push(t, syncer.PushOptions{Secrets: set})
	w.wantNoValue(t, report, err)
	for _, r := range report.Secrets {
		want, code := names[r.Name], source.CodeRequestRefused
		switch r.Name {
		case "MASKED":
			want, code = "what a server shows in place of a hidden one", source.CodeValueMasked
		case "BYTES":
			want = "the value is not UTF-8"
		case "GOOD":
			if r.Outcome != syncer.OutcomeCreated {
				t.Errorf("%+v", r)
			}
			continue
		}
		if r.Outcome != syncer.OutcomeRefused || r.Code != code || !strings.Contains(r.Reason, want) {
			t.Errorf("%+v, want %q", r, want)
		}
	}
	wantValues(t, w.Server, devRoot, map[string]string{"GOOD": "v"})
	report, err = w.push(t, syncer.PushOptions{Secrets: pushed("HUGE", strings.Repeat("x", 1<<20), "SMALL", "s")})
	wantOutcomes(t, report.Secrets, "HUGE=refused SMALL=created")
	if source.CodeOf(err) != source.CodeRequestRefused || !strings.Contains(err.Error(), "1048576 that the server takes") || len(err.Error()) > 300 {
		t.Errorf("%v", err)
	}
}

// A name that an old server took is updated under it.
func TestPushOldNames(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.Set(devRoot, "A:B", "old")
		w.mustPush(t, syncer.PushOptions{Secrets: pushed("A:B", "new")})
		report := w.mustPush(t, syncer.PushOptions{Secrets: source.NewSet(append(slices.Collect(numbered(9, "v").All()), slices.Collect(pushed("A:B", "newer").All())...)...)})
		if got, _ := w.Get(devRoot, "A:B"); got.Value != "newer" || report.Written() != 10 {
			t.Errorf("%q; %s", got.Value, outcomes(report.Secrets))
		}
	})
}

// With values that cannot be read all is written, but for the mask.
func TestPushBlind(t *testing.T) {
	inEachProfile(t, func(t *testing.T, profile infisicaltest.Profile) {
		w := newWriting(t, profile)
		w.Set(devRoot, "A", "a")
		w.Set(devRoot, "B", "b")
		defer w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultMaskValues, Kind: infisicaltest.KindList, Names: []string{"A"}})()
		report, err := w.push(t, syncer.PushOptions{Secrets: pushed("A", "x", "B", "b", "C", "<hidden-by-infisical>", "D", "d")})
		wantOutcomes(t, report.Secrets, "A=updated B=updated C=refused D=created")
		if source.CodeOf(err) != source.CodeValueMasked || !strings.Contains(w.log.String(), "may not read the values of") {
			t.Errorf("%v; logged %s", err, w.log)
		}
		wantValues(t, w.Server, devRoot, map[string]string{"A": "x", "B": "b", "D": "d"})
		for _, kind := range []infisicaltest.Kind{infisicaltest.KindUpdate, infisicaltest.KindCreate} {
			w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultResetAfter, Kind: kind, Times: 1})
		}
		report = w.mustPush(t, syncer.PushOptions{Secrets: pushed("A", "y", "E", "e")})
		wantOutcomes(t, report.Secrets, "A=updated E=created")
		wantValues(t, w.Server, devRoot, map[string]string{"A": "y", "B": "b", "D": "d", "E": "e"})
		w.Fault(infisicaltest.Fault{Do: infisicaltest.FaultResetAfter, Kind: infisicaltest.KindUpdate})
		report, err = w.push(t, syncer.PushOptions{Secrets: pushed("A", "z")})
		wantOutcomes(t, report.Secrets, "A=unknown")
		if err == nil || !strings.Contains(err.Error(), "it may have taken effect") {
			t.Errorf("%v", err)
		}
	})
	w := newWriting(t, infisicaltest.Current, func(seed *infisicaltest.Seed) { seed.Identities[0].Role = infisicaltest.NoAccess })
	if _, err := w.push(t, syncer.PushOptions{Secrets: pushed("A", "x")}); source.CodeOf(err) != source.CodeAccessDenied {
		t.Errorf("no access: %v", err)
	}
}

func TestNormalizeName(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "A_1": "A_1", "db.url": "DB_URL", "a b-c": "A_B_C", "1x": "1X", "ü": "_", "漢字": "__", "A:B/C": "A_B_C", "a\xff\n": "A__",
	} {
		if got := syncer.NormalizeName(in); got != want {
			t.Errorf("NormalizeName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPushNormalized(t *testing.T) {
	w := newWriting(t, infisicaltest.Current)
	report := w.mustPush(t, syncer.PushOptions{Normalize: true, Secrets: pushed("db.url", "u", "API_KEY", "k", "a:b", "c")})
	given := make(map[string]string)
	for _, r := range report.Secrets {
		given[r.Name] = r.Given
	}
	if want := map[string]string{"API_KEY": "", "A_B": "a:b", "DB_URL": "db.url"}; !maps.Equal(given, want) {
		t.Errorf("given as %v, want %v", given, want)
	}
	wantValues(t, w.Server, devRoot, map[string]string{"API_KEY": "k", "A_B": "c", "DB_URL": "u"})
	_, err := w.push(t, syncer.PushOptions{Normalize: true, Secrets: pushed("X", "1", "a-b", canary, "a.b", canary)})
	if source.CodeOf(err) != source.CodeUsage || err.Error() != `both "a-b" and "a.b" would become "A_B"` || w.Count(infisicaltest.KindAny) != 0 {
		t.Errorf("%v; %v", err, w.Counts())
	}
}
